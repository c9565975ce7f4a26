"""
One look decides: what a raw token is worth now, by one query.

    signatures   the claims of tokens whose signature this process has verified before
    query        the session, its user and the denylist's answer, compiled once
    lazy         the same two, loaded later, for the snapshot mode
    passwords    whether the session is of the password that the user has now
    rules        which of them admit a token, and the error that tells why not
"""

from .passwords import auth_hashes, is_of_now
from .rules import (
    Authenticated,
    check_session,
    check_time_of_issue,
    look_up,
)

__all__ = [
    "Authenticated",
    "auth_hashes",
    "check_session",
    "check_time_of_issue",
    "is_of_now",
    "look_up",
]

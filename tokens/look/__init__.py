"""
One look decides: what a raw token is worth now, by one query.

    signatures   the claims of tokens whose signature this process has verified before
    query        the session, its user and the denylist's answer, compiled once
    lazy         the same two, loaded later, for the snapshot mode
    rules        which of them admit a token, and the error that tells why not
"""

from .rules import (
    Authenticated,
    auth_hashes,
    check_session,
    check_time_of_issue,
    look_up,
)

__all__ = ["Authenticated", "auth_hashes", "check_session", "check_time_of_issue", "look_up"]

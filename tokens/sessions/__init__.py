"""
Start, authenticate, refresh and end a session: the verbs that the API, the admin and commands call.

Every rule of a session belongs here. Read ``lifecycle`` first, then ``authentication``:

    lifecycle         start, authenticate, verify, refresh, revoke
    authentication    how a raw token becomes a user
    ending            the functions that end sessions
    pairs             the two tokens of a session's row
    query, writes     the SQL that reads, inserts and rotates the row
    verified          claims whose signature this process has verified
    snapshot_mode     accept a token without a query, with ``lazy_user``
    auth_hash         whether the user still has the password of the session
    receivers         end sessions when the user changes
    events            the signals and log lines of a session

May import keyring, denylist, jose, client and the modules below them.
"""

from ..client import Client
from ..models import EndReason
from .auth_hash import auth_hash_matches, auth_hashes
from .authentication import Authenticated, check_session, check_time_of_issue, read_claims
from .ending import end, end_all, end_matching, revoke_token
from .lifecycle import (
    authenticate,
    end_after_password_change,
    find_by_refresh_token,
    keep_after_rehash,
    refresh,
    revoke,
    start,
    verify,
    would_refresh,
)
from .pairs import TokenPair

__all__ = [
    "Authenticated",
    "Client",
    "EndReason",
    "TokenPair",
    "auth_hash_matches",
    "auth_hashes",
    "authenticate",
    "check_session",
    "check_time_of_issue",
    "end",
    "end_after_password_change",
    "end_all",
    "end_matching",
    "find_by_refresh_token",
    "keep_after_rehash",
    "read_claims",
    "refresh",
    "revoke",
    "revoke_token",
    "start",
    "verify",
    "would_refresh",
]

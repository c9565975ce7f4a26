"""
The life of a session, by the verbs that every door calls: start, authenticate, refresh, end.
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

"""
The life of a session, by the verbs that every door calls: start, authenticate, refresh, end.
"""

from ..client import Client
from ..models import EndReason
from .auth_hash import auth_hashes, is_of_now
from .authentication import Authenticated, check_session, check_time_of_issue
from .ending import end, end_all, end_matching
from .lifecycle import (
    answers,
    authenticate,
    carry_over,
    find_by_refresh_token,
    follow_password,
    refresh,
    revoke,
    start,
    verify,
)
from .pairs import TokenPair

__all__ = [
    "Authenticated",
    "Client",
    "EndReason",
    "TokenPair",
    "answers",
    "auth_hashes",
    "authenticate",
    "carry_over",
    "check_session",
    "check_time_of_issue",
    "end",
    "end_all",
    "end_matching",
    "find_by_refresh_token",
    "follow_password",
    "is_of_now",
    "refresh",
    "revoke",
    "start",
    "verify",
]

"""
The tables, one module for each subject.

    sessions    the sessions, why they ended, and the states they are in
    denylist    the ids that are refused although their signature is good
    keys        the signing keys, encrypted
    counters    attempts to sign in, the last pruning, and what happened on each day
    instants    the field for a time, which is aware whatever USE_TZ is
    uncached    reads past caches that patch the ORM
    usernames   names that a person typed, as values of the user model's USERNAME_FIELD
"""

from .counters import DailyCount, PruneRun, ThrottleCount
from .denylist import EVERYONE, MAX_REASON_LENGTH, MAX_VALUE_LENGTH, DeniedToken
from .instants import InstantField
from .keys import SigningKey
from .sessions import (
    EndReason,
    Session,
    SessionKind,
    SessionQuerySet,
    SessionState,
    not_cut_off,
)
from .uncached import fetch_uncached, locked
from .usernames import (
    is_text,
    max_username_length,
    normalise_username,
    username_field,
    username_from,
    value_from,
)

__all__ = [
    "EVERYONE",
    "MAX_REASON_LENGTH",
    "MAX_VALUE_LENGTH",
    "DailyCount",
    "DeniedToken",
    "EndReason",
    "InstantField",
    "PruneRun",
    "Session",
    "SessionKind",
    "SessionQuerySet",
    "SessionState",
    "SigningKey",
    "ThrottleCount",
    "fetch_uncached",
    "is_text",
    "locked",
    "max_username_length",
    "normalise_username",
    "not_cut_off",
    "username_field",
    "username_from",
    "value_from",
]

"""
The tables, one module for each subject.

    sessions    the sessions, why they ended, and the states they are in
    denylist    the ids that are refused although their signature is good
    keys        the signing keys, encrypted
    counters    attempts to sign in, and the last pruning
    instants    the field for a time, which is aware whatever USE_TZ is
    uncached    reads past caches that patch the ORM
"""

from .counters import PruneRun, ThrottleCount
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

__all__ = [
    "EVERYONE",
    "MAX_REASON_LENGTH",
    "MAX_VALUE_LENGTH",
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
    "locked",
    "not_cut_off",
]

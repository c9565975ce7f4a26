"""
The metrics of this process, and the events that change each of them.

The events change them when they happen, so reading the metrics runs no query. The times are instants and not
ages: an age would have to be computed at each reading, and the processes of one host could not
share it. docs/metrics.md documents each.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, Literal

from django.db import DatabaseError
from prometheus_client import Counter, Gauge
from rest_framework.exceptions import Throttled

from .. import clock, watching
from ..errors import RefreshTokenReused, TokenError
from ..models import DeniedToken, EndReason, PruneRun

Fields = Mapping[str, Any]

# Seconds between two queries of one process for the last pruning, each right after a sign-in or a
# refresh has been committed.
ASK_FOR_PRUNING_EVERY = 60.0

SIGN_INS = Counter("latchkey_sign_ins", "Attempts to sign in, by outcome.", ["outcome"])
SESSIONS_STARTED = Counter(
    "latchkey_sessions_started", "Sessions that began with a pair of tokens."
)
SESSIONS_ENDED = Counter("latchkey_sessions_ended", "Live sessions that ended.", ["reason"])
REFRESHES = Counter("latchkey_refreshes", "Presented refresh tokens, by outcome.", ["outcome"])
REPEATS_ELSEWHERE = Counter(
    "latchkey_repeats_elsewhere",
    "Superseded refresh tokens from another network and user agent that were not reuse.",
)
REUSES = Counter("latchkey_reuses", "Sessions that ended because a refresh token was reused.")
REFUSALS = Counter("latchkey_refusals", "Refused tokens.", ["door", "reason"])
DENIALS = Counter("latchkey_denials", "Ids that were put on the denylist.", ["kind"])
FAILURES = Counter("latchkey_failures", "Failures of the server, by what failed.", ["what"])
READINGS = Counter(
    "latchkey_snapshot_readings", "Readings of the denylist in snapshot mode.", ["outcome"]
)


class Instant:
    """
    A gauge with a Unix time, which appears when the time is known.

    A gauge that exists has a value: 0 would be an age of fifty years. ``among_processes`` says how the
    values of several processes are combined.
    """

    def __init__(self, name: str, text: str, among_processes: Literal["max", "livemin"]) -> None:
        self.name, self.text = name, text
        self._among_processes = among_processes
        self._gauge: Gauge | None = None
        self._lock = threading.Lock()

    def set(self, at: datetime | float | None) -> None:
        if at is None:
            return
        with self._lock:
            if self._gauge is None:
                mode = self._among_processes
                self._gauge = Gauge(self.name, self.text, multiprocess_mode=mode)
        self._gauge.set(at.timestamp() if isinstance(at, datetime) else at)


SIGNING_KEY = Instant(
    "latchkey_signing_key_timestamp_seconds", "When the signing key began to sign.", "max"
)
PRUNING = Instant(
    "latchkey_prune_timestamp_seconds", "When pruning last finished with nothing left.", "max"
)
DENIAL = Instant(
    "latchkey_denial_timestamp_seconds",
    "When a process that is read here last denied an id.",
    "max",
)
SNAPSHOT = Instant(
    "latchkey_snapshot_timestamp_seconds",
    "When this process's copy of the denylist last proved to be complete; of several live "
    "processes, the earliest. Each of them has the revocations of before.",
    "livemin",
)
INSTANTS = (SIGNING_KEY, PRUNING, DENIAL, SNAPSHOT)

# Where a token was refused (the label "door") and what failed, by the event's name in docs/events.md.
DOORS = {
    "access_refused": "request",
    "token_refused": "body",
    "nothing_to_revoke": "revocation",
    "introspected_as_inactive": "introspection",
}
FAILED = {
    "key_ring_unavailable": "key_ring",
    "jwks_unavailable": "jwks",
    "database_unavailable": "database",
    "claims_refused": "claims",
    "requests_not_counted": "cache",
    "mail_not_sent": "mail",
}
SIGN_IN_OUTCOMES = {
    "signed_in": "ok",
    "sign_in_failed": "wrong",
    "sign_in_not_admitted": "limited",
    "password_not_checked": "busy",
}
REFRESH_OUTCOMES = ("rotated", "repeated", "reuse", "refused", "limited", "failed")
READING_OUTCOMES = ("proven", "anew", "failed")


class _Pruning:
    """Reads when the last pruning finished, because usually another process has pruned."""

    def __init__(self) -> None:
        self._ask_at = 0.0
        self._lock = threading.Lock()

    def ask(self) -> None:
        with self._lock:
            if clock.elapsed() < self._ask_at:
                return
            self._ask_at = clock.elapsed() + ASK_FOR_PRUNING_EVERY
        with suppress(DatabaseError):  # The next request fails too, and reports it.
            runs = PruneRun.objects.filter(complete=True)
            PRUNING.set(runs.values_list("finished_at", flat=True).first())


_pruning = _Pruning()


def begin() -> None:
    """Count from now on. Each series begins at 0, so that its first increase is seen."""
    _create_series()
    watching.listen(_listen)
    watching.watch("refresh", lambda verb: _refreshed)


def _create_series() -> None:
    for outcome in SIGN_IN_OUTCOMES.values():
        SIGN_INS.labels(outcome)
    for outcome in REFRESH_OUTCOMES:
        REFRESHES.labels(outcome)
    for outcome in READING_OUTCOMES:
        READINGS.labels(outcome)
    for reason in EndReason.values:
        SESSIONS_ENDED.labels(reason)
    for kind in DeniedToken.Kind.values:
        DENIALS.labels(kind)
    for what in FAILED.values():
        FAILURES.labels(what)
    for door in DOORS.values():
        for reason in _names_below(TokenError):
            REFUSALS.labels(door, reason)


def _names_below(error: type[TokenError]) -> Iterator[str]:
    for kind in error.__subclasses__():
        yield kind.__name__
        yield from _names_below(kind)


def _listen(event: str, fields: Fields) -> None:
    count = _COUNTED.get(event)
    if count is not None:
        count(fields)


def _refreshed(outcome: str, error: BaseException | None) -> None:
    match error:
        case None:
            REFRESHES.labels(outcome).inc()
        case RefreshTokenReused():
            REFRESHES.labels("reuse").inc()
        case TokenError():
            REFRESHES.labels("refused").inc()
        case Throttled():
            REFRESHES.labels("limited").inc()
        case _:
            REFRESHES.labels("failed").inc()


def _sign_in(outcome: str, fields: Fields) -> None:
    SIGN_INS.labels(outcome).inc()


def _refused(door: str, fields: Fields) -> None:
    REFUSALS.labels(door, fields["reason"]).inc()


def _failed(what: str, fields: Fields) -> None:
    FAILURES.labels(what).inc()


def _started(fields: Fields) -> None:
    SESSIONS_STARTED.inc()
    _pruning.ask()


def _rotated(fields: Fields) -> None:
    _pruning.ask()


def _repeated(fields: Fields) -> None:
    if fields["elsewhere"]:
        REPEATS_ELSEWHERE.inc()
    _pruning.ask()


def _reused(fields: Fields) -> None:
    REUSES.inc()


def _ended(fields: Fields) -> None:
    SESSIONS_ENDED.labels(fields["reason"]).inc(fields.get("count", 1))


def _denied(fields: Fields) -> None:
    DENIALS.labels(fields["kind"]).inc(fields["count"])
    DENIAL.set(time.time())


def _ring_read(fields: Fields) -> None:
    SIGNING_KEY.set(fields["signs_since"])


def _pruned(fields: Fields) -> None:
    if fields["complete"]:
        PRUNING.set(time.time())


def _read(fields: Fields) -> None:
    READINGS.labels("anew" if fields["anew"] else "proven").inc()
    SNAPSHOT.set(time.time() - (clock.elapsed() - fields["began"]))


def _not_read(fields: Fields) -> None:
    READINGS.labels("failed").inc()


_COUNTED: dict[str, Callable[[Fields], None]] = {
    **{event: partial(_sign_in, outcome) for event, outcome in SIGN_IN_OUTCOMES.items()},
    **{event: partial(_refused, door) for event, door in DOORS.items()},
    **{event: partial(_failed, what) for event, what in FAILED.items()},
    "session_started": _started,
    "session_refreshed": _rotated,
    "refresh_repeated": _repeated,
    "reuse_detected": _reused,
    "session_ended": _ended,
    "sessions_ended": _ended,
    "denied": _denied,
    "key_ring_read": _ring_read,
    "pruned": _pruned,
    "denylist_read": _read,
    "denylist_not_read": _not_read,
}

"""
Count what happens each day, without delaying a request.

Events are counted in memory. A thread adds the counts to the row of the day, by at most one statement
per process, place and INTERVAL. A killed process loses the counts of its last seconds.
"""

import atexit
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from logging import getLogger
from typing import Any

from django.db import connections
from django.utils import timezone

from .. import clock, watching
from ..database.background import Writer
from ..database.places import Place, place_of, within
from ..models import DailyCount, EndReason

logger = getLogger("tokens")

INTERVAL = 5.0  # seconds between two statements of one process
COLUMNS = ("sign_ins", "failed_sign_ins", "refreshes", "repeats", "reuses", "revocations")
# Reasons that do not count as a revocation: users' own acts, and what follows from them.
NO_REVOCATION = (EndReason.LOGOUT, EndReason.USER_DELETED, EndReason.OVER_LIMIT)

Fields = Mapping[str, Any]
Counts = Counter[str]


class _Counts(Writer):
    """The counts that are not written yet, by place and day."""

    name = "tokens-daily"

    @property
    def interval(self) -> float:
        return INTERVAL

    def _begin(self) -> None:
        super()._begin()
        self._pending: dict[tuple[Place, date], Counts] = {}

    def is_pending(self) -> bool:
        return bool(self._pending)

    def add(self, column: str, number: int = 1) -> None:
        zone = timezone.get_default_timezone()
        key = place_of(DailyCount), timezone.localdate(clock.now(), zone)
        with self._lock:
            self._pending.setdefault(key, Counter())[column] += number
        self.wake()

    def flush(self) -> None:
        """
        Add the counts to the rows, by one statement for each place and day.

        An error loses the counts of its statement, and is not raised.
        """
        with self._lock:
            taken, self._pending = self._pending, {}
        for (place, day), counts in taken.items():
            try:
                _add(place, day, counts)
            except Exception as error:
                # Any error: if it ended the thread, this process would never write counts again.
                logger.info("the counts of %s were not written: %s", day, error)

    def flush_at_exit(self) -> None:
        """Write the rest at exit: a command that revokes sessions ends before the thread writes."""
        if self._pending and self.may_have_thread():
            self.flush()

    def forget(self) -> None:
        with self._lock:
            self._pending.clear()


def _add(place: Place, day: date, counts: Counts) -> None:
    if connections.settings[place.alias]["NAME"] != place.name:
        return  # The test database is gone, and the alias names the real one again.
    with within(place) as connection:
        quote = connection.ops.quote_name
        table = quote(DailyCount._meta.db_table)
        fields = {field.name: quote(field.column) for field in DailyCount._meta.concrete_fields}
        columns = [fields[name] for name in ("day", *COLUMNS)]
        added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in columns[1:])
        parameters = [
            connection.ops.adapt_datefield_value(day),
            *(counts[name] for name in COLUMNS),
        ]
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608  # names only
                f"VALUES ({', '.join(['%s'] * len(columns))}) "
                f"ON CONFLICT ({columns[0]}) DO UPDATE SET {added}",
                parameters,
            )


_counts = _Counts()


def flush() -> None:
    """Write the counts now, in the caller's thread."""
    _counts.flush()


def forget() -> None:
    """Drop the counts that this process has not written."""
    _counts.forget()


def set_up() -> None:
    """Start to count events."""
    watching.listen(_listen)
    atexit.register(_counts.flush_at_exit)


def _listen(event: str, fields: Fields) -> None:
    count = _COUNTED.get(event)
    if count is not None:
        count(fields)


def _one(column: str) -> Callable[[Fields], None]:
    return lambda fields: _counts.add(column)


def _repeated(fields: Fields) -> None:
    if fields["answered"]:  # Otherwise ``verify`` was called with it.
        _counts.add("repeats")


def _ended(fields: Fields) -> None:
    if fields["reason"] not in NO_REVOCATION:
        _counts.add("revocations", fields.get("count", 1))


def _keys_revoked(fields: Fields) -> None:
    if fields.get("revoked"):
        _counts.add("revocations")  # One revocation, however many sessions end.


_COUNTED: dict[str, Callable[[Fields], None]] = {
    "session_started": _one("sign_ins"),
    "django_session_started": _one("sign_ins"),
    "sign_in_failed": _one("failed_sign_ins"),
    "sign_in_not_admitted": _one("failed_sign_ins"),
    "session_refreshed": _one("refreshes"),
    "refresh_repeated": _repeated,
    "reuse_detected": _one("reuses"),
    "session_ended": _ended,
    "sessions_ended": _ended,
    "everything_revoked": _one("revocations"),
    "key_rotated": _keys_revoked,
}

"""Freeze the clock that the app reads, and move it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest import mock

from .. import clock
from .process import forget, write_notes


class FrozenClock:
    """The time of the app. It stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self._now = _in_utc(at)
        self._elapsed = clock.elapsed
        self._moved = 0.0  # seconds

    def now(self) -> datetime:
        return self._now

    def elapsed(self) -> float:
        return self._elapsed() + self._moved

    def shift(self, by: timedelta) -> None:
        """Move the clock by this much, forwards or backwards."""
        # The app writes its notes within about a second, so before a later instant.
        write_notes()
        self._now += by
        # What this process remembers gets older too. It cannot get younger.
        self._moved += max(by.total_seconds(), 0.0)
        if by < timedelta():
            forget()

    def move_to(self, at: datetime) -> None:
        """Move the clock to this instant, which must be aware."""
        self.shift(_in_utc(at) - self._now)


@contextmanager
def freeze(at: datetime | None = None) -> Iterator[FrozenClock]:
    """
    Freeze the app's clock at this instant, which must be aware; by default at the current one.

    Only the app reads this clock: times in tokens, sessions, denials and limits. The time of Django
    and of the project goes on. If freezegun or time-machine has replaced the time, then the default
    is that time, and the clock of the innermost ``freeze`` is the one that the app reads.
    """
    frozen = FrozenClock(clock.now() if at is None else at)
    try:
        with mock.patch.multiple(clock, now=frozen.now, elapsed=frozen.elapsed):
            yield frozen
            write_notes()
    finally:
        # What is remembered has ages by the clock that has gone.
        forget()


def _in_utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at!r} is naive. Pass an aware datetime, such as one with tzinfo=UTC.")
    return at.astimezone(UTC)

"""The thread that brings copies up to date for async code, which must not wait for a query."""

from datetime import datetime
from logging import getLogger
from typing import Protocol

from ..database.background import Writer
from ..database.places import Place, within

logger = getLogger("tokens")


class Readable(Protocol):
    """A copy that can be brought up to date."""

    def bring_up_to_date(self, bound: float, *, now: datetime) -> None: ...


class _Reader(Writer):
    """The copies that are due, and the thread that reads them."""

    name = "tokens-snapshot"

    @property
    def interval(self) -> float:
        return 0.0  # A copy is due only after some time, see LISTEN_AT.

    def _begin(self) -> None:
        super()._begin()
        self._due_copies: dict[Place, tuple[Readable, float, datetime]] = {}

    def is_pending(self) -> bool:
        return bool(self._due_copies)

    def ask(self, copy: Readable, place: Place, bound: float, now: datetime) -> None:
        if place in self._due_copies:
            return  # The thread has not begun with it.
        self._due_copies[place] = (copy, bound, now)
        self.wake()

    def flush(self) -> None:
        while self._due_copies:
            place, (copy, bound, now) = self._due_copies.popitem()
            try:
                with within(place):
                    copy.bring_up_to_date(bound, now=now)
            except Exception as error:
                # Of any kind: without its thread, every async request would query the database.
                logger.warning("the denylist could not be read in the background: %s", error)


_reader = _Reader()


def ask(copy: Readable, place: Place, bound: float, *, now: datetime) -> None:
    """Let the thread bring the copy of this place up to date soon. It does not wait."""
    _reader.ask(copy, place, bound, now)


def flush() -> None:
    """Do in the caller's thread what the thread was asked to do."""
    _reader.flush()

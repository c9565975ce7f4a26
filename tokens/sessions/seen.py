"""
Note that something of a session's current generation was seen in use.

``refresh`` needs to know it: a superseded refresh token that comes back late is a lost answer while
nothing of its successor was seen, and a theft otherwise. A note is collected in memory and written by
a thread of its own, one statement per process and second at most for each place, so that no request
waits for it.
A note that is lost only makes the server more patient.
"""

from collections import OrderedDict
from logging import getLogger
from typing import Any
from uuid import UUID

from ..database.background import Writer
from ..database.places import Place, place_of, within
from ..models import Session

logger = getLogger("tokens")

INTERVAL = 1.0  # seconds between two statements of one process
MAX_ROWS = 1000  # of a place in one statement; the rest waits for the next
REMEMBERED = 10_000  # generations that this process has noted, so that each is noted once

Generation = tuple[UUID, int]


class _Notes(Writer):
    """The generations that are to be marked."""

    name = "tokens-seen"

    @property
    def interval(self) -> float:
        return INTERVAL

    def _begin(self) -> None:
        super()._begin()
        self._pending: dict[Place, dict[UUID, int]] = {}
        self._noted: OrderedDict[tuple[Place, UUID, int], None] = OrderedDict()

    def is_pending(self) -> bool:
        return bool(self._pending)

    def add(self, sid: UUID, generation: int) -> None:
        place = place_of(Session)
        noted = (place, sid, generation)
        if noted in self._noted:
            return
        with self._lock:
            self._noted[noted] = None
            if len(self._noted) > REMEMBERED:
                self._noted.popitem(last=False)  # the oldest
            # Of two generations, a note of the older one says nothing about the row.
            pending = self._pending.setdefault(place, {})
            pending[sid] = max(generation, pending.get(sid, 0))
        self.wake()

    def flush(self) -> None:
        """
        Write what is noted, by one statement for each place.

        Every error loses the notes, and none is raised.
        """
        with self._lock:
            taken = {
                place: list(notes.items())[:MAX_ROWS] for place, notes in self._pending.items()
            }
            for place, rows in taken.items():
                for sid, _ in rows:
                    del self._pending[place][sid]
                if not self._pending[place]:
                    del self._pending[place]
        for place, rows in taken.items():
            self._write(place, rows)

    def _write(self, place: Place, rows: list[Generation]) -> None:
        try:
            mark(rows, place)
        except Exception as error:
            # Of any kind: without its thread, this process would never note anything again.
            logger.info("sightings of %d sessions were not written: %s", len(rows), error)
            with self._lock:
                for noted in rows:
                    self._noted.pop((place, *noted), None)  # So that the next use is noted again.

    def forget(self) -> None:
        with self._lock:
            self._pending.clear()
            self._noted.clear()


_notes = _Notes()


def note(sid: UUID, generation: int) -> None:
    """Note that a token of this generation was used. It is written within about a second."""
    _notes.add(sid, generation)


def flush() -> None:
    """Write now, in the caller's thread, what is noted."""
    _notes.flush()


def mark(generations: list[Generation], place: Place | None = None) -> None:
    """Mark these generations as seen. A row that has moved on since is left alone."""
    with within(place or place_of(Session)) as connection:
        _mark(generations, connection)


def _mark(generations: list[Generation], connection: Any) -> None:
    quote = connection.ops.quote_name
    table = quote(Session._meta.db_table)
    columns = {field.name: quote(field.column) for field in Session._meta.concrete_fields}
    pk, generation, seen = columns["id"], columns["generation"], columns["seen"]
    to_database = Session._meta.pk.get_db_prep_value
    # Not by the ORM: SQLite refuses an expression as deep as a thousand conditions joined by OR.
    values = ", ".join(["(%s, %s)"] * len(generations))
    parameters = [
        value for sid, number in generations for value in (to_database(sid, connection), number)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {seen} = %s "  # noqa: S608  # names only; values are parameters
            f"WHERE {seen} = %s AND ({pk}, {generation}) IN (VALUES {values})",
            [True, False, *parameters],
        )


def forget() -> None:
    """Drop what this process has noted."""
    _notes.forget()

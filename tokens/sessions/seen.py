"""
Note that something of a session's current generation was seen in use.

``refresh`` needs to know it: a superseded refresh token that comes back late is a lost answer while
nothing of its successor was seen, and a theft otherwise. A note is collected in memory and written by
a thread of its own, one statement per process and second at most, so that no request waits for it.
A note that is lost only makes the server more patient.
"""

import os
import threading
import time
from collections import OrderedDict
from logging import getLogger
from uuid import UUID

from django.db import close_old_connections, connections, router

from ..models import Session

logger = getLogger("tokens")

INTERVAL = 1.0  # seconds between two statements of one process
MAX_ROWS = 1000  # in one statement; the rest waits for the next
FORK_WAITS = 5.0  # seconds at most
REMEMBERED = 10_000  # generations that this process has noted, so that each is noted once

Generation = tuple[UUID, int]


class _Notes:
    """What is to be written, and the thread that writes it. Safe among threads and after a fork."""

    def __init__(self) -> None:
        self._begin()
        # A fork waits until the thread has written: SQLite has locks of its own, and if the thread is
        # inside it, then they are held in the child for ever.
        os.register_at_fork(
            before=self._before_fork,
            after_in_parent=self._after_fork,
            after_in_child=self._begin,
        )

    def _begin(self) -> None:
        # Neither the thread nor the owner of a held lock survives a fork; what the parent has noted
        # is the parent's to write.
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self._due = threading.Event()
        self._pending: dict[UUID, int] = {}
        self._noted: OrderedDict[Generation, None] = OrderedDict()
        self._thread: threading.Thread | None = None

    def _before_fork(self) -> None:
        self._waited = self._working.acquire(timeout=FORK_WAITS)

    def _after_fork(self) -> None:
        if self._waited:
            self._working.release()

    def add(self, sid: UUID, generation: int) -> None:
        noted = (sid, generation)
        if noted in self._noted:
            return
        with self._lock:
            self._noted[noted] = None
            if len(self._noted) > REMEMBERED:
                self._noted.popitem(last=False)  # the oldest
            # Of two generations, a note of the older one says nothing about the row.
            self._pending[sid] = max(generation, self._pending.get(sid, 0))
        if self._thread is None:
            self._start_thread()
        self._due.set()

    def flush(self) -> None:
        """Write what is noted, by one statement. Every error loses the notes, and none is raised."""
        with self._lock:
            rows = list(self._pending.items())[:MAX_ROWS]
            for sid, _ in rows:
                del self._pending[sid]
        if not rows:
            return
        try:
            mark(rows)
        except Exception as error:
            # Of any kind: without its thread, this process would never note anything again.
            logger.info("sightings of %d sessions were not written: %s", len(rows), error)
            with self._lock:
                for noted in rows:
                    self._noted.pop(noted, None)  # So that the next use is noted again.

    def forget(self) -> None:
        with self._lock:
            self._pending.clear()
            self._noted.clear()

    def _start_thread(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="tokens-seen", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            with self._working:
                self.flush()
                # As Django does after a request. A pooled connection goes back to its pool, so that
                # it keeps neither a request waiting nor a test database from being dropped.
                close_old_connections()
            time.sleep(INTERVAL)
            if self._pending:
                self._due.set()


_notes = _Notes()


def note(sid: UUID, generation: int) -> None:
    """Note that a token of this generation was used. It is written within about a second."""
    _notes.add(sid, generation)


def flush() -> None:
    """Write now, in the caller's thread, what is noted."""
    _notes.flush()


def mark(generations: list[Generation]) -> None:
    """Mark these generations as seen. A row that has moved on since is left alone."""
    connection = connections[router.db_for_write(Session)]
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

"""
The pace of pruning: how many rows the next batch has, and what happens between two batches.

On PostgreSQL the pace blocks no request, because no request needs the rows that are locked. SQLite
has one lock, and every writer waits for it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DatabaseError, connections

BATCH_SECONDS = 0.05
# On SQLite, while no other connection writes. The first one that does waits so long once; after it
# batches are short again.
IDLE_BATCH_SECONDS = 0.25
IDLE_AFTER = 1.0  # seconds in which no other connection wrote
# The length of a rest, as a part of what the batch took. A writer that waits for SQLite's lock
# tries again at growing intervals of about half of its wait, so at least once during the rest.
REST_RATIO = 0.5
PAGE_CACHE = 64 * 1024  # kB


class Pace:
    """Batches of BATCH_SECONDS each, with a rest after each."""

    def next_size(self, size: int, took: float) -> int:
        """Return how many rows would have taken ``batch_seconds``, at most twice ``size``."""
        return max(1, int(size * min(2.0, self.batch_seconds() / took))) if took else 2 * size

    def batch_seconds(self) -> float:
        return BATCH_SECONDS

    def rest(self, took: float) -> None:
        """Let other connections write, after a batch that took ``took`` seconds."""
        time.sleep(REST_RATIO * took)


class _SQLitePace(Pace):
    """
    Longer batches while no other connection writes, and checkpoints during the rests.

    SQLite writes each page that a batch changes to its log, and to its file at a checkpoint. The
    rows' index entries are at random places, so small batches write the same pages many times.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._version = self._pragma("data_version")
        self._last_write_by_others = time.monotonic()

    def batch_seconds(self) -> float:
        idle = time.monotonic() - self._last_write_by_others >= IDLE_AFTER
        return IDLE_BATCH_SECONDS if idle else BATCH_SECONDS

    def rest(self, took: float) -> None:
        until = time.monotonic() + REST_RATIO * took
        self._checkpoint()
        time.sleep(max(0.0, until - time.monotonic()))
        # data_version changes with every commit of another connection.
        version = self._pragma("data_version")
        if version != self._version:
            self._version, self._last_write_by_others = version, time.monotonic()

    @contextmanager
    def settings(self) -> Iterator[None]:
        """
        Keep a batch's pages in memory, and make checkpoints only during the rests.

        With less memory than it needs, a batch writes and reads its pages several times while it
        has the lock. SQLite's automatic checkpoint runs within the COMMIT, and would count as part
        of the batch.
        """
        pragmas = {"cache_size": -PAGE_CACHE, "wal_autocheckpoint": 0}
        before = {name: self._pragma(name) for name in pragmas}
        try:
            for name, value in pragmas.items():
                self._pragma(f"{name} = {value}")
            yield
            self._checkpoint()
        finally:
            for name, value in before.items():
                self._pragma(f"{name} = {value}")

    def _checkpoint(self) -> None:
        # It fails within a caller's transaction, and while the caller reads rows on this
        # connection. Then SQLite makes a checkpoint by itself later.
        with suppress(DatabaseError):
            self._pragma("wal_checkpoint(PASSIVE)")

    def _pragma(self, statement: str) -> Any:
        # Without Django's cursor, which raises in a transaction that is marked for rollback.
        self._connection.ensure_connection()
        with self._connection.wrap_database_errors:
            row = self._connection.connection.execute(f"PRAGMA {statement}").fetchone()
        return row and row[0]


@contextmanager
def paced(alias: str) -> Iterator[Pace]:
    """Yield the pace for this database, with its connection set up for pruning meanwhile."""
    connection = connections[alias]
    if connection.vendor != "sqlite":  # PostgreSQL only
        yield Pace()
        return
    pace = _SQLitePace(connection)
    with pace.settings():
        yield pace

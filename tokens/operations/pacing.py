"""
The pace of pruning: how many rows the next batch has, and what goes on between two.

PostgreSQL's locks on rows that are over hold nobody up, whatever the pace. SQLite has one lock,
which each of its writers waits for.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DatabaseError, connections

BATCH_SECONDS = 0.05
# Where nobody else writes. Who comes then waits so long once, and is noticed.
ALONE_SECONDS = 0.25
ALONE_AFTER = 1.0  # seconds in which nobody else wrote
# Of what the batch took. A writer that waits for SQLite's lock looks for it ever more rarely, at
# intervals of about half of its wait: so it looks at least once while nobody has the lock.
REST_RATIO = 0.5
PAGE_CACHE = 64 * 1024  # kB


class Pace:
    """Batches that take BATCH_SECONDS each, and a rest after each."""

    def next_size(self, size: int, took: float) -> int:
        """Return how many rows would have taken the time that a batch may, twice ``size`` at most."""
        return max(1, int(size * min(2.0, self.may_take() / took))) if took else 2 * size

    def may_take(self) -> float:
        return BATCH_SECONDS

    def rest(self, took: float) -> None:
        """Let everybody else write for a while, after a batch that took so many seconds."""
        time.sleep(REST_RATIO * took)


class _SQLitePace(Pace):
    """
    The same, and longer batches where nobody else writes.

    SQLite writes a page to its log once per batch that changes it, and at a checkpoint to its file.
    The rows' index entries are at random places, so that small batches write the same pages again
    and again.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._version = self._ask("data_version")
        self._others_wrote = time.monotonic()

    def may_take(self) -> float:
        alone = time.monotonic() - self._others_wrote >= ALONE_AFTER
        return ALONE_SECONDS if alone else BATCH_SECONDS

    def rest(self, took: float) -> None:
        until = time.monotonic() + REST_RATIO * took
        self._checkpoint()
        time.sleep(max(0.0, until - time.monotonic()))
        # Changes with every commit of another connection.
        version = self._ask("data_version")
        if version != self._version:
            self._version, self._others_wrote = version, time.monotonic()

    @contextmanager
    def settings(self) -> Iterator[None]:
        """
        Hold a batch's pages in memory, and leave the checkpoints to the rests.

        With less memory than a batch needs, it writes and reads its pages several times over while
        it has the lock. And by itself SQLite makes a checkpoint within the COMMIT, where it would
        seem a part of the batch.
        """
        during = {"cache_size": -PAGE_CACHE, "wal_autocheckpoint": 0}
        before = {name: self._ask(name) for name in during}
        try:
            for name, value in during.items():
                self._ask(f"{name} = {value}")
            yield
            self._checkpoint()
        finally:
            for name, value in before.items():
                self._ask(f"{name} = {value}")

    def _checkpoint(self) -> None:
        # None can be made within a caller's transaction, or while it reads rows by this connection.
        # Then SQLite makes one by itself later.
        with suppress(DatabaseError):
            self._ask("wal_checkpoint(PASSIVE)")

    def _ask(self, pragma: str) -> Any:
        # Not through Django's cursor, which refuses within a transaction that is to be rolled back.
        self._connection.ensure_connection()
        with self._connection.wrap_database_errors:
            row = self._connection.connection.execute(f"PRAGMA {pragma}").fetchone()
        return row and row[0]


@contextmanager
def paced(alias: str) -> Iterator[Pace]:
    """Give the pace of batches on this database, and set its connection up for them meanwhile."""
    connection = connections[alias]
    if connection.vendor != "sqlite":
        yield Pace()
        return
    pace = _SQLitePace(connection)
    with pace.settings():
        yield pace

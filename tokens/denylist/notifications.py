"""
Change notifications: learn without polling the table that another process committed a denial.

SQLite counts the commits of other connections; PostgreSQL notifies its listeners. Both need a
connection besides those of the requests, which may be pooled, closed or inside a transaction.

A notification may be lost, late or without cause. It makes a denial known sooner, and must not be
needed for any bound. No request waits for one: PostgreSQL's connection belongs to a thread of its own,
and all that a request does is to look at a flag. One connection listens for all the schemas of a
database: the notification says which schema's denylist it is about.
"""

import time
from collections.abc import Callable
from logging import getLogger
from typing import Any, Protocol

from django.db import DatabaseError, Error, connections

from ..database.places import Place
from . import listening

logger = getLogger("tokens")

# One statement is one transaction. It need not be durable, and notifying transactions commit one
# after the other, so it does not wait for the disk.
_NOTIFY_SQL = (
    f"SELECT set_config('synchronous_commit', 'off', true), pg_notify('{listening.CHANNEL}', %s)"
)


class _Source(Protocol):
    must_be_asked: bool

    def has_changes(self) -> bool: ...

    def close(self) -> None: ...


class Notifications:
    """
    This process's source of notifications, opened on first use. Not thread-safe.

    ``wake`` is called in another thread when something came, unless ``must_be_asked``.
    """

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        self._wake = wake
        self._source: _Source | None = None
        self._try_at = 0.0
        self._warned = ""

    @property
    def must_be_asked(self) -> bool:
        """Return whether ``has_changes`` has to be called again and again to learn of something."""
        return self._source is not None and self._source.must_be_asked

    def has_changes(self, place: Place) -> bool:
        """
        Return whether something may have been committed since the last call. It does not wait.

        False does not mean that nothing was.
        """
        try:
            if self._source is not None:
                return self._source.has_changes()
            if time.monotonic() < self._try_at:
                return False
            self._source = _open(place, self._wake)
        except DatabaseError as error:
            self._close_source()
            self._warned = listening.warn_once(error, self._warned)
        if self._source is None:
            self._try_at = time.monotonic() + listening.RETRY_AFTER
        return self._source is not None

    def forget(self) -> None:
        """Close the connection, so that the next use opens another."""
        self._close_source()
        self._try_at = 0.0
        self._warned = ""

    def _close_source(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()


def notify(place: Place) -> None:
    """
    Notify every process that listens, on PostgreSQL, of a denial in this place.

    If it fails, the denial is committed nevertheless, and reaches them within the bound.
    """
    connection = connections[place.alias]
    if connection.vendor != "postgresql":
        return
    try:  # PostgreSQL only
        with connection.cursor() as cursor:
            cursor.execute(_NOTIFY_SQL, [place.schema or ""])
    except Error as error:  # PostgreSQL only
        # Error includes InterfaceError, which psycopg 2 raises when disconnected.
        logger.warning("no process was notified of a denial: %s", error)


def _open(place: Place, wake: Callable[[], None]) -> _Source | None:
    connection: Any = connections[place.alias]
    if connection.vendor == "sqlite":
        return _SQLite(place.alias)
    if connection.vendor == "postgresql" and connection.Database.__name__ == "psycopg":
        return listening.Subscription(place, wake)  # PostgreSQL only
    return None


class _SQLite:
    """Compares SQLite's count of the commits of other connections."""

    must_be_asked = True

    def __init__(self, alias: str) -> None:
        self._connection = listening.own_connection(alias, timeout=0)
        self._connection.connect()
        self._version = self._read()

    def has_changes(self) -> bool:
        known, self._version = self._version, self._read()
        return known != self._version

    def close(self) -> None:
        # Django's close() leaves a database in memory open, which most tests have. Python 3.13 warns.
        self._connection.connection.close()

    def _read(self) -> int:
        with self._connection.wrap_database_errors:
            # Without Django's cursor, so that it is not counted or logged as a request's query.
            row = self._connection.connection.execute("PRAGMA data_version").fetchone()
        return int(row[0])

"""
Change notifications: learn without polling the table that another process committed a denial.

SQLite counts the commits of other connections; PostgreSQL notifies its listeners. Both need a
connection besides those of the requests, which may be pooled, closed or inside a transaction.

A notification may be lost, late or without cause. It makes a denial known sooner, and must not be
needed for the bound of snapshot mode.
"""

import os
import time
from logging import getLogger
from typing import Any, Protocol

from django.db import DatabaseError, Error, connections

logger = getLogger("tokens")

CHANNEL = "tokens_denied"
# Seconds of pause after a failure, and between two LISTEN statements that keep a connection alive.
RETRY_AFTER = 60.0
# A notification costs PostgreSQL about 20 µs for each process that listens.
MAX_NOTIFICATIONS = 1200  # in RETRY_AFTER seconds

# Seconds. A listener that reads no notifications would fill PostgreSQL's queue, so PostgreSQL
# closes its connection.
_IDLE_TIMEOUT = 10 * RETRY_AFTER
# One statement is one transaction. It need not be durable, and notifying transactions commit one
# after the other, so it does not wait for the disk.
_NOTIFY_SQL = f"SELECT set_config('synchronous_commit', 'off', true), pg_notify('{CHANNEL}', '')"


class _Source(Protocol):
    def has_changes(self) -> bool: ...

    def close(self) -> None: ...


class Notifications:
    """This process's source of notifications, opened on first use. Not thread-safe."""

    def __init__(self) -> None:
        self._source: _Source | None = None
        self._inherited: _Source | None = None
        self._pid = 0
        self._try_at = 0.0
        self._warned = ""

    def has_changes(self, alias: str) -> bool:
        """
        Return whether something may have been committed since the last call.

        False does not mean that nothing was.
        """
        if self._pid != os.getpid():
            # A connection from before a fork is the parent's. Keep it, or it would be closed.
            self._inherited, self._source, self._pid = self._source, None, os.getpid()
        try:
            if self._source is not None:
                return self._source.has_changes()
            if time.monotonic() < self._try_at:
                return False
            self._source = _open(alias)
        except DatabaseError as error:
            self._close_source()
            self._warn_once(f"no notifications of denials for {RETRY_AFTER:.0f} seconds: {error}")
        if self._source is None:
            self._try_at = time.monotonic() + RETRY_AFTER
        return self._source is not None

    def forget(self) -> None:
        self._close_source()
        self._try_at = 0.0
        self._warned = ""

    def _close_source(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def _warn_once(self, message: str) -> None:
        # Behind a pooler it may fail each time, which is once per minute.
        if message != self._warned:
            logger.warning("%s", message)
        self._warned = message


def notify(alias: str) -> None:
    """
    Notify every process that listens, on PostgreSQL.

    If it fails, the denial is committed nevertheless, and reaches them within the bound.
    """
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return
    try:  # PostgreSQL only
        with connection.cursor() as cursor:
            cursor.execute(_NOTIFY_SQL)
    except Error as error:  # PostgreSQL only
        # Error includes InterfaceError, which psycopg 2 raises when disconnected.
        logger.warning("no process was notified of a denial: %s", error)


def _open(alias: str) -> _Source | None:
    connection: Any = connections[alias]
    if connection.vendor == "sqlite":
        return _SQLite(alias)
    if connection.vendor == "postgresql" and connection.Database.__name__ == "psycopg":
        return _PostgreSQL(alias)  # PostgreSQL only
    return None


def _own_connection(alias: str, **options: str) -> Any:
    connection = connections[alias].copy()
    settings = connection.settings_dict
    settings["AUTOCOMMIT"] = True  # PostgreSQL delivers nothing inside a transaction.
    settings["OPTIONS"].pop("pool", None)
    settings["OPTIONS"].update(options)
    connection.inc_thread_sharing()
    connection.connect()
    return connection


class _SQLite:
    """Compares SQLite's count of the commits of other connections."""

    def __init__(self, alias: str) -> None:
        self._connection = _own_connection(alias)
        self._version = self._read()

    def has_changes(self) -> bool:
        known, self._version = self._version, self._read()
        return known != self._version

    def close(self) -> None:
        self._connection.close()

    def _read(self) -> int:
        with self._connection.wrap_database_errors:
            # Without Django's cursor, so that it is not counted or logged as a request's query.
            row = self._connection.connection.execute("PRAGMA data_version").fetchone()
        return int(row[0])


class _PostgreSQL:  # PostgreSQL only
    """Listens, and reads without waiting the notifications that have arrived."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._connect()

    def _connect(self) -> None:
        options = connections[self._alias].settings_dict["OPTIONS"]
        # libpq reads PGOPTIONS only if the connection has no "options".
        given = options.get("options", os.environ.get("PGOPTIONS", ""))
        timeout = f"-c idle_session_timeout={int(_IDLE_TIMEOUT)}s"
        self._connection = _own_connection(self._alias, options=f"{given} {timeout}".strip())
        try:
            self._listen()
        except DatabaseError:
            self.close()
            raise

    def has_changes(self) -> bool:
        late = time.monotonic() - self._listen_at
        if late > _IDLE_TIMEOUT - 2 * RETRY_AFTER:
            # PostgreSQL has closed the idle connection or is about to. A firewall may have dropped
            # it, and a query would then wait for an answer.
            self.close()
            self._connect()
            return True
        if late > 0:
            # psycopg does not report a notification that arrives during a statement.
            self._listen()
            return True
        driver = self._connection.connection.pgconn
        with self._connection.wrap_database_errors:
            driver.consume_input()
        count = 0
        while driver.notifies():
            count += 1
        self._received += count
        if self._received > MAX_NOTIFICATIONS:
            raise DatabaseError(
                f"more than {MAX_NOTIFICATIONS} denials within {RETRY_AFTER:.0f} seconds"
            )
        return count > 0

    def close(self) -> None:
        self._connection.close()

    def _listen(self) -> None:
        with self._connection.wrap_database_errors:
            self._connection.connection.execute(f"LISTEN {CHANNEL}", prepare=False)
        self._listen_at = time.monotonic() + RETRY_AFTER
        self._received = 0

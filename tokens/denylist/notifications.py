"""
Word from the database that something was committed, so that nobody has to ask whether it was.

SQLite counts the commits of others in each connection; PostgreSQL calls whoever listens. Either
takes a connection of this process's own, beside those of its requests: one of theirs may be
pooled, closed, or in the midst of a transaction. Word may get lost, come late or be about nothing,
so it can save waiting and must not be waited for.
"""

import os
import time
from logging import getLogger
from typing import Any, Protocol

from django.db import DatabaseError, Error, connections

logger = getLogger("tokens")

CHANNEL = "tokens_denied"
# Seconds: of a pause after a failure, and between two signs of life.
RETRY_AFTER = 60.0
# Each call costs PostgreSQL some 20 µs for every process that listens.
MAX_NOTIFICATIONS = 1200  # in RETRY_AFTER seconds

# A listener who never picks up would hold up PostgreSQL's queue for all: it is hung up on.
_IDLE_TIMEOUT = 10 * RETRY_AFTER
# In one statement, and so in one transaction, of which nothing needs to be durable: callers wait in
# line for each other's commits.
_NOTIFY_SQL = f"SELECT set_config('synchronous_commit', 'off', true), pg_notify('{CHANNEL}', '')"


class _Source(Protocol):
    def has_changes(self) -> bool: ...

    def close(self) -> None: ...


class Notifications:
    """This process's source of word, opened when it is first asked. Not safe among threads."""

    def __init__(self) -> None:
        self._source: _Source | None = None
        self._inherited: _Source | None = None
        self._pid = 0
        self._try_at = 0.0
        self._warned = ""

    def has_changes(self, alias: str) -> bool:
        """Tell whether something may have been committed since the last call; False is no verdict."""
        if self._pid != os.getpid():
            # What was opened before a fork is the parent's, and not for us to close.
            self._inherited, self._source, self._pid = self._source, None, os.getpid()
        try:
            if self._source is not None:
                return self._source.has_changes()
            if time.monotonic() < self._try_at:
                return False
            self._source = _open(alias)
        except DatabaseError as error:
            self._hang_up()
            self._warn_once(f"no word of denials for {RETRY_AFTER:.0f} seconds: {error}")
        if self._source is None:
            self._try_at = time.monotonic() + RETRY_AFTER
        return self._source is not None

    def forget(self) -> None:
        self._hang_up()
        self._try_at = 0.0
        self._warned = ""

    def _hang_up(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()

    def _warn_once(self, what: str) -> None:
        # Behind a pooler it may fail for ever, and every minute.
        if what != self._warned:
            logger.warning("%s", what)
        self._warned = what


def notify(alias: str) -> None:
    """Call every process that listens. What was committed stands, and reaches them, without it."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(_NOTIFY_SQL)
    except Error as error:  # InterfaceError, psycopg 2's word for a lost connection, included.
        logger.warning("nobody was called about a denial: %s", error)


def _open(alias: str) -> _Source | None:
    connection: Any = connections[alias]
    if connection.vendor == "sqlite":
        return _SQLite(alias)
    if connection.vendor == "postgresql" and connection.Database.__name__ == "psycopg":
        return _PostgreSQL(alias)
    return None


def _own_connection(alias: str, **options: str) -> Any:
    connection = connections[alias].copy()
    settings = connection.settings_dict
    settings["AUTOCOMMIT"] = True  # PostgreSQL calls nobody within a transaction.
    settings["OPTIONS"].pop("pool", None)
    settings["OPTIONS"].update(options)
    connection.inc_thread_sharing()
    connection.connect()
    return connection


class _SQLite:
    """Compares SQLite's count of the commits that other connections made."""

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
            # Not through Django's cursor: no query of a request's.
            row = self._connection.connection.execute("PRAGMA data_version").fetchone()
        return int(row[0])


class _PostgreSQL:
    """Listens, and takes what has come since the last time, without waiting."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._connect()

    def _connect(self) -> None:
        options = connections[self._alias].settings_dict["OPTIONS"]
        # libpq reads the variable only where nothing else is said.
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
            # After a quiet time PostgreSQL has hung up, or is about to; and who asks a connection
            # that a firewall has dropped waits for an answer.
            self.close()
            self._connect()
            return True
        if late > 0:
            # What comes during a statement psycopg keeps to itself.
            self._listen()
            return True
        driver = self._connection.connection.pgconn
        with self._connection.wrap_database_errors:
            driver.consume_input()
        calls = 0
        while driver.notifies():
            calls += 1
        self._calls += calls
        if self._calls > MAX_NOTIFICATIONS:
            raise DatabaseError(
                f"more than {MAX_NOTIFICATIONS} denials within {RETRY_AFTER:.0f} seconds"
            )
        return calls > 0

    def close(self) -> None:
        self._connection.close()

    def _listen(self) -> None:
        with self._connection.wrap_database_errors:
            self._connection.connection.execute(f"LISTEN {CHANNEL}", prepare=False)
        self._listen_at = time.monotonic() + RETRY_AFTER
        self._calls = 0

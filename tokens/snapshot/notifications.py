"""
Change notifications: learn without polling the table that another process committed a denial.

SQLite counts the commits of other connections; PostgreSQL notifies its listeners. Both need a
connection besides those of the requests, which may be pooled, closed or inside a transaction.

A notification may be lost, late or without cause. It makes a denial known sooner, and must not be
needed for the bound of snapshot mode. No request waits for one: PostgreSQL's connection belongs to
a thread of its own, and all that a request does is to look at a flag.
"""

import os
import selectors
import socket
import threading
import time
from contextlib import closing
from logging import getLogger
from typing import Any, Protocol

from django.db import DatabaseError, Error, connections

logger = getLogger("tokens")

CHANNEL = "tokens_denied"
# Seconds of pause after a failure, and between two statements that show whether the connection is
# alive: a firewall may have dropped it without a word.
RETRY_AFTER = 60.0
# Seconds in which the server must answer such a statement, or a new connection.
ANSWER_WITHIN = 10
# A notification costs PostgreSQL about 20 µs for each process that listens.
MAX_NOTIFICATIONS = 1200  # in RETRY_AFTER seconds
# Seconds. A listener that reads no notifications, such as a suspended process, would fill
# PostgreSQL's queue, so PostgreSQL closes its connection.
_IDLE_TIMEOUT = 600
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
        self._try_at = 0.0
        self._warned = ""

    def has_changes(self, alias: str) -> bool:
        """
        Return whether something may have been committed since the last call. It does not wait.

        False does not mean that nothing was.
        """
        try:
            if self._source is not None:
                return self._source.has_changes()
            if time.monotonic() < self._try_at:
                return False
            self._source = _open(alias)
        except DatabaseError as error:
            self._close_source()
            self._warned = _warn_once(error, self._warned)
        if self._source is None:
            self._try_at = time.monotonic() + RETRY_AFTER
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


def _warn_once(error: Exception, warned: str) -> str:
    """Log why there are no notifications, unless it was logged before, and return the reason."""
    if str(error) != warned:
        logger.warning("no notifications of denials for %d seconds: %s", RETRY_AFTER, error)
    return str(error)


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


def _own_connection(alias: str, **options: Any) -> Any:
    """Return a connection of Django that is not open yet, and may change hands between threads."""
    connection = connections[alias].copy()
    settings = connection.settings_dict
    settings["AUTOCOMMIT"] = True  # PostgreSQL delivers nothing inside a transaction.
    settings["OPTIONS"].pop("pool", None)
    settings["OPTIONS"].update(options)
    connection.inc_thread_sharing()
    return connection


class _SQLite:
    """Compares SQLite's count of the commits of other connections."""

    def __init__(self, alias: str) -> None:
        self._connection = _own_connection(alias, timeout=0)
        self._connection.connect()
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
    """Listens in a thread, for as long as the process runs, and remembers that something came."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._heard = threading.Event()
        self._closed = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="tokens-listen", daemon=True)
        self._thread.start()

    def has_changes(self) -> bool:
        if not self._heard.is_set():
            return False
        self._heard.clear()
        return True

    def close(self) -> None:
        self._wake.send(b"x")  # First: a thread that sees that it is closed closes this too.
        self._closed.set()
        self._thread.join(ANSWER_WITHIN)

    def _run(self) -> None:
        warned = ""
        with closing(self._wake), closing(self._woken):
            while not self._closed.is_set():
                try:
                    self._listen()
                except (Error, OSError) as error:
                    if self._closed.is_set():
                        return
                    # Behind a pooler it is the same each time, which is once per minute.
                    warned = _warn_once(error, warned)
                    self._closed.wait(RETRY_AFTER)

    def _listen(self) -> None:
        connection = _own_connection(self._alias, **self._options())
        with closing(connection), connection.wrap_database_errors:
            connection.connect()
            driver = connection.connection.pgconn
            with selectors.DefaultSelector() as selector:
                selector.register(driver.socket, selectors.EVENT_READ)
                selector.register(self._woken, selectors.EVENT_READ)
                # The rule of compiled_sql.has_its_own_server_process, which would wait for the answer.
                pid = self._ask("SELECT pg_backend_pid()", driver, selector)
                if pid is not None and pid != driver.backend_pid:
                    raise DatabaseError("a pooler is in between, which delivers none")
                while not self._closed.is_set():
                    # Again and again, to see that the server is there.
                    self._ask(f"LISTEN {CHANNEL}", driver, selector)
                    self._heard.set()  # What was committed before was not announced here.
                    self._collect(driver, selector)

    def _options(self) -> dict[str, Any]:
        given = connections[self._alias].settings_dict["OPTIONS"]
        # libpq reads PGOPTIONS only if the connection has no "options".
        options = given.get("options", os.environ.get("PGOPTIONS", ""))
        timeout = f"-c idle_session_timeout={_IDLE_TIMEOUT}s"
        return {"options": f"{options} {timeout}".strip(), "connect_timeout": ANSWER_WITHIN}

    def _ask(self, sql: str, driver: Any, selector: selectors.BaseSelector) -> int | None:
        """
        Run ``sql``, and return the number that it selects; None if this is closed meanwhile.

        Raises DatabaseError if the server does not answer.

        By functions of libpq that do not wait: psycopg would wait for ever on a silent connection.
        """
        deadline = time.monotonic() + ANSWER_WITHIN
        driver.send_query(sql.encode())
        driver.flush()
        while driver.is_busy() and not self._closed.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                raise DatabaseError(f"the server did not answer within {ANSWER_WITHIN} seconds")
            selector.select(left)
            driver.consume_input()
        value = None
        while not driver.is_busy() and (result := driver.get_result()):
            if result.error_message:
                raise DatabaseError(result.error_message.decode(errors="replace").strip())
            value = int(result.get_value(0, 0)) if result.ntuples else value
        return value

    def _collect(self, driver: Any, selector: selectors.BaseSelector) -> None:
        """Take notifications for RETRY_AFTER. Raise DatabaseError if they are too many."""
        deadline, received = time.monotonic() + RETRY_AFTER, 0
        while (left := deadline - time.monotonic()) > 0 and not self._closed.is_set():
            selector.select(left)
            driver.consume_input()
            while driver.notifies():
                received += 1
                self._heard.set()
            if received > MAX_NOTIFICATIONS:
                raise DatabaseError(
                    f"more than {MAX_NOTIFICATIONS} denials within {RETRY_AFTER:.0f} seconds"
                )

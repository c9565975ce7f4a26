"""
PostgreSQL's notifications: one thread of this process listens for all the schemas of a database.

No request waits for it. It passes each notification on to the subscriptions of the schema that it names.
"""

import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from logging import getLogger
from typing import Any

from django.db import DatabaseError, Error, connections

from ..database.places import PerPlace, Place

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


def warn_once(error: Exception, warned: str) -> str:
    """Log why there are no notifications, unless it was logged before, and return the reason."""
    if str(error) != warned:
        logger.warning("no notifications of denials for %d seconds: %s", RETRY_AFTER, error)
    return str(error)


def own_connection(alias: str, **options: Any) -> Any:
    """Return a connection of Django that is not open yet, and may change hands between threads."""
    connection = connections[alias].copy()
    settings = connection.settings_dict
    settings["AUTOCOMMIT"] = True  # PostgreSQL delivers nothing inside a transaction.
    settings["OPTIONS"].pop("pool", None)
    settings["OPTIONS"].update(options)
    connection.inc_thread_sharing()
    return connection


class Subscription:  # PostgreSQL only
    """Remembers that something came for one schema of a database, to which one thread listens."""

    must_be_asked = False

    def __init__(self, place: Place, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._was_notified = threading.Event()
        self.schema = place.schema or ""
        self._shared = _listeners.at(place._replace(schema=None))
        self._shared.add(self, place.alias)

    def note(self) -> None:
        self._was_notified.set()
        self._wake()

    def has_changes(self) -> bool:
        if not self._was_notified.is_set():
            return False
        self._was_notified.clear()
        return True

    def close(self) -> None:
        self._shared.remove(self)


class _Shared:  # PostgreSQL only
    """The listener of one database, for as long as any schema of it has a subscription."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listener: _Listener | None = None

    def add(self, subscription: Subscription, alias: str) -> None:
        with self._lock:
            if self._listener is None:
                self._listener = _Listener(alias)
            else:
                subscription.note()  # What was committed before was not announced to it.
            self._listener.subscriptions.append(subscription)

    def remove(self, subscription: Subscription) -> None:
        with self._lock:
            listener = self._listener
            if listener is None:
                return
            listener.subscriptions = [
                each for each in listener.subscriptions if each is not subscription
            ]
            if not listener.subscriptions:
                self._listener = None
                listener.close()


_listeners = PerPlace(_Shared)


class _Listener:  # PostgreSQL only
    """Listens in a thread until it is closed, and notes each notification in its subscriptions."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self.subscriptions: list[Subscription] = []
        self._closed = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="tokens-listen", daemon=True)
        self._thread.start()

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
                    warned = warn_once(error, warned)
                    self._closed.wait(RETRY_AFTER)

    def _listen(self) -> None:
        connection = own_connection(self._alias, **self._options())
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
                    self._tell("")  # What was committed before was not announced here.
                    self._collect(driver, selector)

    def _tell(self, schema: str) -> None:
        for subscription in self.subscriptions:
            if schema in {"", subscription.schema}:
                subscription.note()

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
            while notification := driver.notifies():
                received += 1
                self._tell(notification.extra.decode())
            if received > MAX_NOTIFICATIONS:
                raise DatabaseError(
                    f"more than {MAX_NOTIFICATIONS} denials within {RETRY_AFTER:.0f} seconds"
                )

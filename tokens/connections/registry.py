"""
The connections of this process: one thread judges them, and one watches the time.

The first runs all statements. The second runs none, so it ends what has expired, and what could not be
judged, also while a statement waits for a database that does not answer. Both end with the last connection.
"""

import math
import os
import threading
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from typing import Any

from django.core.checks import Tags, register
from django.db import connections

from .. import clock, denylist
from ..conf import conf
from ..database import background
from ..database.places import Place, place_of
from ..denylist import Entry
from ..jose import Claims
from ..models import DeniedToken, Session
from ..sessions import needs_user
from .checks import check_connections
from .connection import Connection
from .ends import TOKEN_EXPIRED, End
from .watcher import Watcher

# Seconds between two batches, in which other threads run.
PAUSE = 0.001
# Seconds after which the time is read again: the clock may have been set, and a new connection may
# expire before all others. And seconds if what could not be judged is to end too.
READ_TIME_EVERY = 1.0
READ_TIME_TO_CLOSE_EVERY = 0.2
FORK_WAITS = 5.0  # seconds at most that a fork waits for the thread


class Registry:
    """The watchers of this process, and their threads. Thread-safe."""

    has_thread: bool | None = None  # None: as the process allows it

    def __init__(self) -> None:
        self._of_parents: list[Any] = []
        self._begin()
        # As for database.background.Writer: the thread may be inside SQLite, which has locks of its own.
        os.register_at_fork(
            before=self._before_fork,
            after_in_parent=self._after_fork,
            after_in_child=self._begin,
        )

    def _begin(self) -> None:
        # A child must neither use nor close the connections of its parent.
        self._of_parents.append(getattr(self, "_watchers", None))
        self._lock = threading.RLock()
        self._working = threading.Lock()
        self._wake = threading.Event()
        self._watchers: dict[Place, Watcher] = {}
        self._by_second: dict[int, set[Connection]] = {}
        self._threads: list[threading.Thread] = []

    def _before_fork(self) -> None:
        self._waited = self._working.acquire(timeout=FORK_WAITS)

    def _after_fork(self) -> None:
        if self._waited:
            self._working.release()

    def watch(
        self,
        claims: Claims,
        on_end: Callable[[End], None],
        place: Place | None,
        context: Context | None,
    ) -> Connection:
        place = place or place_of(Session)
        if not needs_user():
            context = None  # Nothing reads it, and it may hold a whole request.
        elif context is None:
            context = copy_context()
        with self._lock:
            watcher = self._watchers.get(place)
            if watcher is None:
                watcher = self._watchers[place] = Watcher(place, copy_context(), self._wake.set)
            connection = Connection(self, watcher, claims, on_end, context)
            self._note_expiry(connection)
            watcher.add(connection)
            self._start()
        self._wake.set()
        return connection

    def renew(self, connection: Connection, claims: Claims) -> None:
        with self._lock:
            if not connection.is_open:
                return
            self._forget_expiry(connection)
            connection.claims = claims
            self._note_expiry(connection)
            if self._has(connection):
                connection.watcher.judge_soon(connection)
        self._wake.set()

    def remove(self, connection: Connection) -> None:
        with self._lock:
            self._forget_expiry(connection)
            if self._has(connection):
                connection.watcher.remove(connection)

    def _has(self, connection: Connection) -> bool:
        # A forked process has none of its parent's, whose locks other threads may have held.
        return self._watchers.get(connection.watcher.place) is connection.watcher

    def take_denials(self, entries: Sequence[Entry]) -> None:
        """Take denials that this process has committed."""
        watcher = self._watchers.get(place_of(DeniedToken))
        if watcher is not None:
            watcher.take_denials(entries)
            self._wake.set()

    def check(self) -> None:
        """Do in the caller's thread what the threads do."""
        for watcher in list(self._watchers.values()):
            watcher.check()
        self.end_expired()

    def end_expired(self) -> None:
        now = clock.now().timestamp()
        with self._lock:
            seconds = [second for second in self._by_second if second <= now]
            expired = [each for second in seconds for each in self._by_second[second]]
        for connection in expired:
            connection.end(TOKEN_EXPIRED)

    def forget(self) -> None:
        """Stop watching all connections, and wait for the threads to end."""
        with self._lock:
            for connections_of_second in list(self._by_second.values()):
                for connection in list(connections_of_second):
                    connection.close()
            threads = list(self._threads)
        self._wake.set()
        for thread in threads:
            thread.join()
        for watcher in self._without_unused():
            watcher.close()

    def _note_expiry(self, connection: Connection) -> None:
        grace = conf.TOKENS_CONNECTION_EXPIRY_GRACE.total_seconds()
        connection.second = math.ceil(connection.claims.exp + grace)
        self._by_second.setdefault(connection.second, set()).add(connection)

    def _forget_expiry(self, connection: Connection) -> None:
        of_second = self._by_second.get(connection.second)
        if of_second is not None:
            of_second.discard(connection)
            if not of_second:
                del self._by_second[connection.second]

    def _start(self) -> None:
        allowed = background.allows_threads() if self.has_thread is None else self.has_thread
        if self._threads or not allowed:
            return
        self._over = threading.Event()
        work = {"tokens-connections": self._run, "tokens-connections-time": self._watch_time}
        self._threads = [
            threading.Thread(target=target, args=[self._over], name=name, daemon=True)
            for name, target in work.items()
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, over: threading.Event) -> None:
        try:
            while watchers := self._in_use(over):
                with self._working:
                    for watcher in watchers:
                        watcher.check()
                due = min(watcher.due_in() for watcher in watchers)
                self._wake.wait(max(due, PAUSE))
                self._wake.clear()
        finally:
            connections.close_all()

    def _watch_time(self, over: threading.Event) -> None:
        while not over.is_set():
            self.end_expired()
            for watcher in list(self._watchers.values()):
                watcher.end_unavailable()
            with self._lock:
                first = min(self._by_second, default=math.inf)
            closes = conf.TOKENS_CONNECTIONS_WITHOUT_DATABASE == "close"
            longest = READ_TIME_TO_CLOSE_EVERY if closes else READ_TIME_EVERY
            over.wait(min(max(first - clock.now().timestamp(), 0.01), longest))

    def _in_use(self, over: threading.Event) -> list[Watcher]:
        with self._lock:
            closed = self._without_unused()
            in_use = list(self._watchers.values())
            if not in_use:
                self._threads = []
                over.set()
        for watcher in closed:
            watcher.close()
        return in_use

    def _without_unused(self) -> list[Watcher]:
        with self._lock:
            unused = [place for place, watcher in self._watchers.items() if not len(watcher)]
            return [self._watchers.pop(place) for place in unused]


registry = Registry()


def watch(
    claims: Claims,
    on_end: Callable[[End], None],
    *,
    place: Place | None = None,
    context: Context | None = None,
) -> Connection:
    """
    Watch an open connection: call ``on_end`` once, as soon as it may not stay open.

    ``claims`` are those of an access token that the caller has authenticated. ``on_end`` is called in another
    thread, and must return at once. ``place`` is where the session is, by default where this app's tables
    are now. ``context`` is a copy of the context in which TOKENS_USER_RULE and the user manager judge
    it, by default of the caller's. It runs no query, and may be called in an event loop.
    """
    return registry.watch(claims, on_end, place, context)


def forget() -> None:
    """Stop watching all connections, so that this process is like a new one."""
    registry.forget()


def set_up() -> None:
    """Let the denylist tell of each denial, here and in other processes, and register the checks."""
    denylist.add_follower(registry.take_denials)
    denylist.notify_others_when(lambda: True)
    register(check_connections, Tags.security)

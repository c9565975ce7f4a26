"""Actors that pause before each statement, and the stage that lets one of them run at a time."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.utils import CursorWrapper

from tokens.models import DeniedToken

from .databases import backend_pid, blockers, cancel, describe, waits_for_writers

PATIENCE = 60.0  # seconds until an actor that neither reports nor waits for a lock is an error
POLL = 0.002  # seconds after which it is asked whether an actor waits for a lock

_DENIAL = f'INSERT INTO "{DeniedToken._meta.db_table}"'


class Abandoned(BaseException):
    """Ends an actor's script where it is paused, because the schedule is not continued."""


class Actor:
    """
    A thread with a connection of its own, which runs one script per schedule.

    ``got`` is everything that the script has learned from the database and that its verb has not
    yet turned into a result.
    """

    def __init__(self, stage: "Stage") -> None:
        self.name = ""
        self.next = ""  # the statement before which it is paused
        self.got: list[Any] = []
        self.finished = self.is_running = self.needs_write_lock = self.is_dirty = False
        self.waits_since = 0  # > 0: it waits for a lock; a lower number waits longer
        self.waits_for: set[int] = set()  # the process ids of those who hold it
        self.error: Exception | None = None
        self.on_turn: Callable[[], None] = lambda: None
        self.pid = 0
        self.is_abandoned = False
        self.stage = stage
        self._turns: SimpleQueue[bool] = SimpleQueue()
        self._scripts: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def driver(self) -> Any:
        return self._connection.connection

    def start(self, name: str, script: Callable[[], None]) -> None:
        self.name, self.got, self.error = name, [], None
        self.finished = self.is_abandoned = self.needs_write_lock = self.is_dirty = False
        self.waits_since = 0
        self.is_running = True
        self._scripts.put(script)

    def go(self) -> None:
        self.is_running = True
        self._turns.put(True)

    def abandon(self, *, is_paused: bool) -> None:
        """End the script, also where it waits for a lock. Its transaction is rolled back."""
        self.is_abandoned = self.is_running = True
        if is_paused:
            self._turns.put(False)
        else:
            cancel(self.pid)

    def close(self) -> None:
        self._scripts.put(None)
        self._thread.join(PATIENCE)

    def pause(self, statement: str, *, sql: str = "") -> None:
        """Report to the stage, and wait for the turn. Called in the actor's thread."""
        if self.is_abandoned:
            raise Abandoned
        self.next = statement
        in_transaction = self._connection.in_atomic_block
        self.needs_write_lock = bool(sql) and waits_for_writers(sql, in_transaction=in_transaction)
        self.stage.reports.put(self)
        if not self._turns.get():
            raise Abandoned
        self.is_dirty = bool(sql) and not in_transaction and not sql.startswith("SELECT")
        self.on_turn()

    def _run(self) -> None:
        self._connection: Any = connections[DEFAULT_DB_ALIAS]  # It belongs to this thread.
        self._connection.ensure_connection()
        self.pid = backend_pid(self._connection)
        self._step_through(self._connection)
        while (script := self._scripts.get()) is not None:
            try:
                script()
            except Abandoned:
                pass
            except Exception as error:
                self.error = error
            # What an abandoned transaction leaves behind.
            self._connection.run_on_commit, self._connection.savepoint_state = [], 0
            self.finished = True
            self.stage.reports.put(self)
        for name in ("make_cursor", "_commit", "_rollback"):
            delattr(self._connection, name)
        self._connection.close()

    def _step_through(self, connection: Any) -> None:
        """Let the connection pause before each statement, COMMIT and ROLLBACK."""
        connection.make_cursor = lambda cursor: _Cursor(cursor, connection, self)
        rollback = connection._rollback

        def stepped(name: str, end: Callable[[], None]) -> Callable[[], None]:
            def run() -> None:
                try:
                    self.pause(name, sql=name)
                except Abandoned:
                    rollback()  # Django would leave the transaction open.
                    raise
                end()

            return run

        connection._commit = stepped("COMMIT", connection._commit)
        connection._rollback = stepped("ROLLBACK", rollback)


class _Cursor(CursorWrapper):
    """Pauses before each statement, and keeps its rows for the actor's ``got``."""

    def __init__(self, cursor: Any, db: Any, actor: Actor) -> None:
        super().__init__(cursor, db)
        self._actor = actor
        self._rows: Iterator[Any] = iter(())

    def execute(self, sql: Any, params: Any = None) -> Any:
        return self._step(sql, lambda: super(_Cursor, self).execute(sql, params))

    def executemany(self, sql: Any, param_list: Any) -> Any:
        return self._step(sql, lambda: super(_Cursor, self).executemany(sql, param_list))

    def _step(self, sql: str, run: Callable[[], Any]) -> Any:
        self._actor.pause(describe(sql), sql=sql)
        try:
            result = run()
        except Error as error:
            self._actor.got.append(type(error).__name__)
            raise
        if sql.startswith(_DENIAL):
            self._actor.stage.denials += 1
            self._actor.got.append(self._actor.stage.denials)
        rows = self.cursor.fetchall() if self.cursor.description else []
        # Sorted, because the database returns rows in any order.
        self._actor.got.append((self.cursor.rowcount, *sorted(rows, key=repr)))
        self._rows = iter(rows)
        return result

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchmany(self, size: int = 100) -> list[Any]:
        return [row for _, row in zip(range(size), self._rows, strict=False)]

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows


class Stage:
    """The actors' threads, which serve one schedule after the other."""

    def __init__(self) -> None:
        self.reports: SimpleQueue[Actor] = SimpleQueue()
        self._threads: list[Actor] = []
        self.actors: list[Actor] = []
        self.denials = 0  # inserts into the denylist, committed or not: they have its numbers
        self._waits = 0

    def begin(self, scripts: Iterable[tuple[str, Callable[[Actor], None]]]) -> None:
        """Start a schedule: every actor runs until it is paused for the first time."""
        self.actors, self._waits, self.denials = [], 0, 0
        for place, (name, script) in enumerate(scripts):
            if place == len(self._threads):
                self._threads.append(Actor(self))
            actor = self._threads[place]
            self.actors.append(actor)
            actor.start(name, lambda script=script, actor=actor: script(actor))  # type: ignore[misc]
            self._settle()

    def choices(self) -> list[int]:
        """Return the places of the actors that can have the next turn. After a deadlock, none can."""
        if self.deadlock():
            return []
        holds = [not a.finished and getattr(a.driver, "in_transaction", False) for a in self.actors]
        return [
            place
            for place, actor in enumerate(self.actors)
            if not (actor.finished or actor.is_running)
            and not (actor.needs_write_lock and any(holds[:place] + holds[place + 1 :]))
        ]

    def step(self, place: int) -> bool:
        """Run one actor's next statement; return whether what is committed may have changed."""
        waiting = [actor for actor in self.actors if actor.is_running]
        self.actors[place].go()
        self._settle()
        return any(actor.is_dirty for actor in [self.actors[place], *waiting])

    def end(self) -> None:
        """End the scripts that have not finished."""
        while left := [actor for actor in self.actors if not actor.finished]:
            paused = [actor for actor in left if not actor.is_running]
            for actor in paused or left:
                actor.abandon(is_paused=bool(paused))
            self._settle()

    def close(self) -> None:
        for actor in self._threads:
            actor.close()

    def _settle(self) -> None:
        """Wait until each actor is paused, has finished, or waits for another one's lock."""
        deadline = time.monotonic() + PATIENCE
        while running := [actor for actor in self.actors if actor.is_running]:
            assert time.monotonic() < deadline, f"{running[0].name} hangs at {running[0].next}"
            fresh = [actor for actor in running if not actor.waits_since]
            try:
                reporter = self.reports.get(timeout=POLL if fresh else 0)
            except Empty:
                if all(map(self._is_waiting, running)):
                    return
                continue
            reporter.is_running, reporter.waits_since = False, 0

    def _is_waiting(self, actor: Actor) -> bool:
        actor.waits_for = blockers(actor.pid)
        if actor.waits_for and not actor.waits_since:
            self._waits += 1
            actor.waits_since = self._waits
        return bool(actor.waits_for)

    def deadlock(self) -> list[Actor]:
        """Return the actors that wait for each other."""
        waits_for = {actor.pid: actor.waits_for for actor in self.actors if actor.waits_since}
        found = []
        for actor in self.actors:
            reached: set[int] = set()
            ahead = set(waits_for.get(actor.pid, ()))
            while ahead:
                reached |= ahead
                ahead = {pid for one in ahead for pid in waits_for.get(one, ())} - reached
            found += [actor] * (actor.pid in reached)
        return found

"""
The open connections of one place, such as a tenant, and how they are judged.

A notification of a denial is only a hint, which lets the connections that the denial concerns be judged at
once. What keeps the bound is the sweep: each connection is judged once per bound, with
hundreds of others by two statements, by the rule that a request meets.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from contextvars import Context
from datetime import timedelta
from itertools import chain, islice
from logging import getLogger
from typing import Any

from django.db import DatabaseError, connections
from django.db.models import Q

from .. import clock, denylist, sessions
from ..conf import conf
from ..database.places import Place, within
from ..denylist import Entry
from ..denylist.notifications import Notifications
from ..errors import TokenError
from ..jose import parse_jti
from ..models import DeniedToken
from ..sessions import Presented
from .connection import Connection
from .ends import UNAVAILABLE, end_by

logger = getLogger("tokens")

BATCH_SIZE = 500  # connections that are judged together
# The part of the bound after which a connection is judged again. The rest is for the statements.
JUDGED_AGAIN_AT = 0.7
# When one is due, those that were judged longer ago than this part of the bound are judged with it.
# Otherwise connections that came one after the other would be judged one by one for ever.
JUDGED_TOGETHER_AT = 0.4
# The newest denials, which are read again: transactions may commit in another order than their keys.
OVERLAP = 200
CUT_OFFS_OF = timedelta(minutes=1)  # A cut-off that is made again keeps its key.
# Seconds between two checks whether another process has denied something, where none is announced.
CHECK_EVERY = 0.025
LATE_EVERY = 60.0  # seconds between two warnings that connections are judged too late
PAUSE = 0.2  # seconds until the next attempt after the database failed


def bound() -> float:
    """Return after how many seconds at most a connection is judged again."""
    return conf.TOKENS_DENYLIST_MAX_STALENESS.total_seconds()


class Watcher:
    """Only the registry's reading thread calls ``check``. The other methods are thread-safe."""

    def __init__(self, place: Place, context: Context, wake: Callable[[], None]) -> None:
        self.place = place
        self._context = context  # A router may find the tenant in it.
        self._lock = threading.Lock()
        self._denied: deque[Sequence[Entry]] = deque()
        # In the order in which they are judged: those that a denial concerns, the new ones, and all
        # others, which are in the order of their latest judgement.
        self._concerned: dict[Connection, None] = {}
        self._new: dict[Connection, None] = {}
        self._judged: dict[Connection, None] = {}
        self._by_sid: dict[str, list[Connection]] = {}
        self._notifications = Notifications(wake)
        self._mark: int | None = None
        self._known: set[tuple[Any, ...]] = set()  # the rows that the latest reading has found
        self._try_at = 0.0
        self._failing_since: float | None = None
        self._warned = ""
        self._late = Late()

    def __len__(self) -> int:
        return len(self._new) + len(self._judged)

    def add(self, connection: Connection) -> None:
        """Watch a connection, and judge it soon: its token may have ended since it was accepted."""
        connection.judged_at = clock.elapsed()
        with self._lock:
            self._new[connection] = None
            self._by_sid.setdefault(connection.claims.sid.hex, []).append(connection)

    def judge_soon(self, connection: Connection) -> None:
        with self._lock:
            if self._judged.pop(connection, self) is None:
                self._new[connection] = None

    def remove(self, connection: Connection) -> None:
        with self._lock:
            for those in (self._concerned, self._new, self._judged):
                those.pop(connection, None)
            sid = connection.claims.sid.hex
            rest = [each for each in self._by_sid.get(sid, ()) if each is not connection]
            if rest:
                self._by_sid[sid] = rest
            else:
                self._by_sid.pop(sid, None)

    def take_denials(self, entries: Sequence[Entry]) -> None:
        """Take denials that this process has committed."""
        self._denied.append(entries)

    def close(self) -> None:
        self._notifications.forget()

    def due_in(self) -> float:
        """Return after how many seconds the next connection is to be judged."""
        now = clock.elapsed()
        if now < self._try_at:
            return self._try_at - now
        if self._denied or self._concerned or self._new:
            return 0.0
        with self._lock:
            oldest = next(iter(self._judged), None)
        due_in = bound()
        if oldest is not None:
            due_in = oldest.judged_at + bound() * JUDGED_AGAIN_AT - now
        # Where nothing wakes the thread up, it looks itself whether another process has denied something.
        return min(due_in, CHECK_EVERY) if self._notifications.must_be_asked else due_in

    def check(self) -> None:
        """Judge the connections that something new concerns, and those that are due."""
        if clock.elapsed() < self._try_at:
            return
        try:
            self._context.run(self._check)
        except Exception as error:  # A project's rule or manager may raise any. The thread goes on.
            self._fail(error)

    def end_unavailable(self) -> None:
        """End what could not be judged within the bound, where the project wants it."""
        since = self._failing_since
        if since is None or conf.TOKENS_CONNECTIONS_WITHOUT_DATABASE != "close":
            return
        latest = clock.elapsed() - bound()
        if since > latest:
            return
        with self._lock:
            late = [each for each in (*self._new, *self._judged) if each.judged_at < latest]
        for connection in late:
            connection.end(UNAVAILABLE)

    def _check(self) -> None:
        with within(self.place) as connection:
            # A statement that does not come back is a failure too.
            was_failing, self._failing_since = self._failing_since, clock.elapsed()
            if was_failing is not None:
                self._failing_since = was_failing
            self._note_concerned(self._take_denied())
            if self._notifications.has_changes(self.place):
                self._note_concerned(self._read_new())
            # Not all of them: what is denied meanwhile would wait for ten thousand others.
            self._judge(self._soon())
            self._judge(self._due())
            self._failing_since, self._warned = None, ""
            if connection.settings_dict["OPTIONS"].get("pool") and not connection.in_atomic_block:
                connection.close()  # It goes back to its pool, for requests.

    def _fail(self, error: Exception) -> None:
        self._try_at = clock.elapsed() + PAUSE
        if str(error) != self._warned:
            logger.warning("the open connections cannot be checked: %s", error)
            self._warned = str(error)
        with suppress(DatabaseError):
            connections[self.place.alias].close_if_unusable_or_obsolete()

    def _take_denied(self) -> list[Entry]:
        denied: list[Entry] = []
        while self._denied:
            denied += self._denied.popleft()
        return denied

    def _read_new(self) -> list[Entry]:
        """Return the denials that were not there the last time. A missing one proves nothing."""
        rows = DeniedToken.objects.using(self.place.alias)
        if self._mark is None:
            last = rows.order_by("-pk").values_list("pk", flat=True).first() or 0
            self._mark = last - OVERLAP
        lately = Q(kind=DeniedToken.Kind.CUT_OFF, denied_at__gt=clock.now() - CUT_OFFS_OF)
        columns = ("pk", "value", "issued_before")
        found = set(rows.filter(Q(pk__gt=self._mark) | lately).values_list(*columns))
        # None after a restore, for example: then the next reading begins anew.
        self._mark = max(pk for pk, *_ in found) - OVERLAP if found else None
        new, self._known = found - self._known, found
        return [(value, issued_before) for _, value, issued_before in new]

    def _note_concerned(self, entries: Iterable[Entry]) -> None:
        """Let the connections be judged first that these denials may concern."""
        others: set[str] = set()
        with self._lock:
            for value, _ in entries:
                key = denylist.key_of(value)
                parsed = parse_jti(key)
                sid = parsed[0].hex if parsed else key.replace("-", "")
                if sid in self._by_sid:
                    self._concerned |= dict.fromkeys(self._by_sid[sid])
                elif parsed is None:
                    others.add(key)
            for connection in (*self._new, *self._judged) if others else ():
                claims = connection.claims
                ids = (claims.jti, claims.kid, claims.sub, *denylist.cut_off_values(claims.sub))
                if not others.isdisjoint(ids):
                    self._concerned[connection] = None

    def _soon(self) -> list[Connection]:
        with self._lock:
            # One that is new and concerned is judged once.
            both = dict.fromkeys(chain(self._concerned, self._new))
            return list(islice(both, BATCH_SIZE))

    def _due(self) -> list[Connection]:
        elapsed = clock.elapsed()
        latest = elapsed - bound() * JUDGED_TOGETHER_AT
        due: list[Connection] = []
        with self._lock:
            oldest = next(iter(self._judged), None)
            if oldest is None or oldest.judged_at > elapsed - bound() * JUDGED_AGAIN_AT:
                return due
            for connection in self._judged:
                if connection.judged_at > latest or len(due) == BATCH_SIZE:
                    break
                due.append(connection)
        return due

    def _judge(self, batch: list[Connection]) -> None:
        if not batch:
            return
        began = clock.elapsed()
        self._late.note(began - min(each.judged_at for each in batch), bound())
        presented = [Presented(each.claims, each.accepted, each.context) for each in batch]
        outcomes = sessions.judge_all(presented, now=clock.now())
        refused: list[tuple[Connection, Exception]] = []
        with self._lock:
            for connection, (claims, *_), outcome in zip(batch, presented, outcomes, strict=True):
                self._concerned.pop(connection, None)
                if connection.claims is not claims:
                    continue  # It has been renewed meanwhile, and is judged again.
                if isinstance(outcome, Exception):
                    refused.append((connection, outcome))
                    continue
                connection.accepted, connection.judged_at = outcome, began
                known = self._new.pop(connection, self) is None
                known |= self._judged.pop(connection, self) is None
                if known:
                    self._judged[connection] = None
        for connection, error in refused:
            self._end(connection, error)

    def _end(self, connection: Connection, error: Exception) -> None:
        sid = connection.claims.sid
        if isinstance(error, TokenError):
            # As a text: the frames of the error hold the connection, as long as a record is kept.
            logger.info("a connection of session %s ends: %s", sid, str(error))
        else:
            # A request of this user would fail too.
            logger.error("a connection of session %s cannot be judged", sid, exc_info=error)
        connection.end(end_by(error))


class Late:
    """Warns that connections are judged later than the bound, once per LATE_EVERY."""

    def __init__(self) -> None:
        self._warn_at = 0.0

    def note(self, age: float, bound: float) -> None:
        if age <= bound or clock.elapsed() < self._warn_at:
            return
        self._warn_at = clock.elapsed() + LATE_EVERY
        logger.warning(
            "open connections were judged %.1f s ago, and TOKENS_DENYLIST_MAX_STALENESS is %.1f s: "
            "this process is too busy, or has too many of them",
            age,
            bound,
        )

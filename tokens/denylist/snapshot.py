"""
This process's copy of the ids denied lately, for the snapshot mode: no query per request.

An id matters here for as long as an access token that carries it can still be good: whatever was
denied longer ago than one access token's life is not read, and what was read is held for one more,
which spares reading when it was denied. One reading per bound brings the copy up to date: the rows
above the highest one that was seen, and the rows that may yet turn up below it. A row gets its
number when it is written and is seen when its transaction commits, so a number that is missing may
be on its way; it is asked for again until nothing in it could matter.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from logging import getLogger
from math import inf
from typing import Any

from django.db import DatabaseError, connections, router, transaction
from django.db.models import Q, QuerySet

from ..conf import conf
from ..models import DeniedToken
from .lifetime import longest_accepted
from .notifications import Notifications, notify

__all__ = ["add", "follow", "forget", "is_known_good"]

logger = getLogger("tokens")

# What clocks, locks and slow transactions may add to the life of an access token.
SLACK = timedelta(seconds=60)
# Beyond it the numbers between the first and the last gap are read again as a whole.
MAX_GAPS = 100
# The share of the bound after which to listen again.
POLL_RATIO = 1 / 20


@dataclass(frozen=True, slots=True)
class _Gap:
    """Numbers of rows that were not there when a higher one was; ``seen_at`` is monotonic."""

    first: int
    last: int
    seen_at: float


class Snapshot:
    """The ids, and how they are kept up to date. Safe among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notifications = Notifications()
        self.forget()

    def forget(self) -> None:
        self._notifications.forget()
        self._has_changes = False
        self._listen_at = -inf
        self._until: dict[str, datetime] = {}
        self._gaps: list[_Gap] = []
        self._highest = 0
        self._read_at = -inf
        self._swept_at = 0.0

    def __len__(self) -> int:
        return len(self._until)

    def is_known_good(self, ids: Iterable[str], *, now: datetime) -> bool:
        """
        Tell whether none of ``ids`` was denied, TOKENS_DENYLIST_MAX_STALENESS ago or earlier.

        False is no verdict: one of them may be denied, or the bound cannot be kept. Then only
        the database knows.
        """
        bound = conf.TOKENS_DENYLIST_MAX_STALENESS.total_seconds()
        clock = time.monotonic()
        if clock > self._listen_at or clock - self._read_at > bound:
            self._bring_up_to_date(bound, now=now)
            if not self._is_fresh(bound):
                return False
        held = self._until
        for each in ids:  # noqa: SIM110 (a generator takes as long as all the rest)
            if each in held:
                return False
        return True

    def add(self, ids: Iterable[str], *, until: datetime) -> None:
        """Hold what this very process has denied, before its next reading."""
        with self._lock:
            self._until.update(dict.fromkeys(ids, until))

    def _is_fresh(self, bound: float) -> bool:
        return time.monotonic() - self._read_at <= bound

    def _bring_up_to_date(self, bound: float, *, now: datetime) -> None:
        # Nobody waits for mere word. And who waits longer than the bound is better off with a query
        # of their own.
        if not self._lock.acquire(timeout=0 if self._is_fresh(bound) else bound):
            return
        try:
            alias = router.db_for_write(DeniedToken)
            if self._notifications.has_changes(alias):
                self._has_changes = True
            if self._has_changes or not self._is_fresh(bound):
                self._read(alias, now=now)
        except DatabaseError as error:
            logger.warning("the denied ids could not be read: %s", error)
        finally:
            self._listen_at = time.monotonic() + bound * POLL_RATIO
            self._lock.release()

    def _read(self, alias: str, *, now: datetime) -> None:
        if not _sees_the_present(connections[alias]):
            return
        # The copy is as old as the beginning of its reading.
        began = time.monotonic()
        rows = DeniedToken.objects.using(alias)
        if self._read_at == -inf:
            below = _highest_that_no_longer_matters(rows, now=now)
            self._highest = below
            wanted = Q(pk__gt=below) | Q(until__gt=now - SLACK)
        else:
            wanted = Q(pk__gt=self._highest)
            for gap in self._gaps:
                wanted |= Q(pk__range=(gap.first, gap.last))
        # Sorted here: asked for an order, SQLite walks through the whole table to have it.
        found = sorted(rows.filter(wanted).values_list("pk", "value", "until"))
        # Who denied may be of before tokens were let live longer, and have thought of shorter ones.
        # From now, not from the denial: to read a hundred thousand instants more takes half as long
        # again.
        least = now + longest_accepted()
        self._until.update({value: max(until, least) for _, value, until in found})
        self._close_gaps([pk for pk, *_ in found])
        if began - self._swept_at > SLACK.total_seconds():
            self._swept_at = began
            self._until = {
                value: until for value, until in self._until.items() if until > now - SLACK
            }
        self._read_at = began
        self._has_changes = False

    def _close_gaps(self, numbers: list[int]) -> None:
        """Go on waiting for the numbers that are missing, and for no longer than they matter."""
        now = time.monotonic()
        patience = (longest_accepted() + SLACK).total_seconds()
        highest = max([self._highest, *numbers[-1:]])
        open_until_now = [gap for gap in self._gaps if now - gap.seen_at <= patience]
        if highest > self._highest:
            open_until_now.append(_Gap(self._highest + 1, highest, now))
        self._highest = highest
        gaps = [
            _Gap(first, last, gap.seen_at)
            for gap in open_until_now
            for first, last in missing(gap.first, gap.last, numbers)
        ]
        if len(gaps) > MAX_GAPS:
            gaps = [_Gap(gaps[0].first, gaps[-1].last, max(gap.seen_at for gap in gaps))]
        self._gaps = gaps


def missing(first: int, last: int, numbers: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the ranges between ``first`` and ``last`` that ``numbers``, ascending, leaves open."""
    for number in numbers:
        if first <= number <= last:
            if first < number:
                yield first, number - 1
            first = number + 1
    if first <= last:
        yield first, last


def _highest_that_no_longer_matters(rows: QuerySet[DeniedToken], *, now: datetime) -> int:
    """Return the number below which no row can turn up that matters."""
    over = rows.filter(denied_at__lt=now - longest_accepted() - SLACK).order_by("-pk")
    return over.values_list("pk", flat=True).first() or 0


def _sees_the_present(connection: Any) -> bool:
    """Tell whether a reading now, and not at the start of a transaction, is what it would bring."""
    if not connection.in_atomic_block:
        return True
    if connection.vendor != "postgresql":
        return False
    from psycopg import IsolationLevel

    return bool(connection.isolation_level == IsolationLevel.READ_COMMITTED)


_snapshot = Snapshot()
is_known_good = _snapshot.is_known_good
add = _snapshot.add
forget = _snapshot.forget


def follow(ids: Sequence[str], *, until: datetime) -> None:
    """Once the surrounding transaction commits, hold what it denied and notify other processes."""
    if conf.TOKENS_DENYLIST_MODE == "snapshot":
        alias = router.db_for_write(DeniedToken)
        transaction.on_commit(partial(add, ids, until=until), using=alias)
        transaction.on_commit(partial(notify, alias), using=alias)

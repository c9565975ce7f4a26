"""
This process's copy of the denylist, so that snapshot mode needs no query per request.

An id matters while an access token with it can be accepted, so rows older than the lifetime of an
access token are not read, except those with a later ``until``. Each id that was read is held for
one more lifetime, so that the time of its denial need not be read.

Once per bound one query brings the copy up to date. It reads the rows above the highest primary key
seen, and the missing ones below it. A row gets its primary key when it is inserted and becomes
visible when its transaction commits, so a missing key may appear later. It is queried again until
a row with it could no longer matter.
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

# Added to the lifetime of an access token, for clocks that differ, locks and slow transactions.
SLACK = timedelta(seconds=60)
# If there are more gaps, everything from the first to the last gap is read again.
MAX_GAPS = 100
# The part of the bound after which notifications are polled again.
POLL_RATIO = 1 / 20
BEFORE_VERSION = "<"  # in no jti, sid or kid


@dataclass(frozen=True, slots=True)
class _Gap:
    """A range of primary keys that were missing when a higher one was seen, at ``seen_at``."""

    first: int
    last: int
    seen_at: float  # time.monotonic()


class Snapshot:
    """The denied ids, and the code that keeps them up to date. Thread-safe."""

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
        Return whether none of ``ids`` was denied TOKENS_DENYLIST_MAX_STALENESS ago or earlier.

        False decides nothing: one of them may be denied, or the copy is older than the bound. The
        caller then has to query the database.
        """
        bound = conf.TOKENS_DENYLIST_MAX_STALENESS.total_seconds()
        clock = time.monotonic()
        if clock > self._listen_at or clock - self._read_at > bound:
            self._bring_up_to_date(bound, now=now)
            if not self._is_fresh(bound):
                return False
        held = self._until
        for each in ids:  # noqa: SIM110 (a generator takes as long as the rest of this)
            if each in held:
                return False
        return True

    def add(self, ids: Iterable[str], *, until: datetime) -> None:
        """Add ids that this process has denied, before its next query."""
        with self._lock:
            self._until.update(dict.fromkeys(map(_key, ids), until))

    def _is_fresh(self, bound: float) -> bool:
        return time.monotonic() - self._read_at <= bound

    def _bring_up_to_date(self, bound: float, *, now: datetime) -> None:
        # While the copy is fresh, a request does not wait for another thread. Otherwise it waits
        # for one bound at most: then its own query is faster.
        if not self._lock.acquire(timeout=0 if self._is_fresh(bound) else bound):
            return
        try:
            alias = router.db_for_write(DeniedToken)
            if self._notifications.has_changes(alias):
                self._has_changes = True
            if self._has_changes or not self._is_fresh(bound):
                self._read(alias, now=now)
        except DatabaseError as error:
            logger.warning("the denylist could not be read: %s", error)
        finally:
            self._listen_at = time.monotonic() + bound * POLL_RATIO
            self._lock.release()

    def _read(self, alias: str, *, now: datetime) -> None:
        if not _sees_new_commits(connections[alias]):
            return
        # The copy is as old as the start of the query.
        began = time.monotonic()
        rows = DeniedToken.objects.using(alias)
        if self._read_at == -inf:
            self._highest = _last_irrelevant_pk(rows, now=now)
            wanted = Q(pk__gt=self._highest) | Q(until__gt=now - SLACK)
        else:
            wanted = Q(pk__gt=self._highest)
            for gap in self._gaps:
                wanted |= Q(pk__range=(gap.first, gap.last))
        # Sorted in Python: with an ORDER BY, SQLite scans the whole table.
        found = sorted(rows.filter(wanted).values_list("pk", "value", "until"))
        # Another host may still write a shorter ``until`` while the lifetime is being raised; keep
        # each denial for our own lifetime. It is counted from now and not from ``denied_at``: to
        # read that column too takes half as long again with 100,000 rows.
        least = now + longest_accepted()
        self._until.update({_key(value): max(until, least) for _, value, until in found})
        self._close_gaps([pk for pk, *_ in found])
        if began - self._swept_at > SLACK.total_seconds():
            self._swept_at = began
            self._until = {
                value: until for value, until in self._until.items() if until > now - SLACK
            }
        self._read_at = began
        self._has_changes = False

    def _close_gaps(self, pks: list[int]) -> None:
        """Update the gaps after reading the rows ``pks``, and drop gaps that no longer matter."""
        now = time.monotonic()
        patience = (longest_accepted() + SLACK).total_seconds()
        highest = max([self._highest, *pks[-1:]])
        open_until_now = [gap for gap in self._gaps if now - gap.seen_at <= patience]
        if highest > self._highest:
            open_until_now.append(_Gap(self._highest + 1, highest, now))
        self._highest = highest
        gaps = [
            _Gap(first, last, gap.seen_at)
            for gap in open_until_now
            for first, last in missing(gap.first, gap.last, pks)
        ]
        if len(gaps) > MAX_GAPS:
            gaps = [_Gap(gaps[0].first, gaps[-1].last, max(gap.seen_at for gap in gaps))]
        self._gaps = gaps


def _key(value: str) -> str:
    """Return what a request looks for: an id, without the version that ``ask_about`` adds."""
    return value.partition(BEFORE_VERSION)[0]


def missing(first: int, last: int, pks: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the ranges from ``first`` to ``last`` that are not in ``pks``, which are ascending."""
    for pk in pks:
        if first <= pk <= last:
            if first < pk:
                yield first, pk - 1
            first = pk + 1
    if first <= last:
        yield first, last


def _last_irrelevant_pk(rows: QuerySet[DeniedToken], *, now: datetime) -> int:
    """Return a primary key below which no row that matters can appear later."""
    over = rows.filter(denied_at__lt=now - longest_accepted() - SLACK).order_by("-pk")
    return over.values_list("pk", flat=True).first() or 0


def _sees_new_commits(connection: Any) -> bool:
    """Return whether a query now returns the rows committed by now."""
    if not connection.in_atomic_block:
        return True
    if connection.vendor != "postgresql":
        return False
    from psycopg import IsolationLevel  # PostgreSQL only

    return bool(connection.isolation_level == IsolationLevel.READ_COMMITTED)  # PostgreSQL only


_snapshot = Snapshot()
is_known_good = _snapshot.is_known_good
add = _snapshot.add
forget = _snapshot.forget


def follow(ids: Sequence[str], *, until: datetime) -> None:
    """When the current transaction commits, add ``ids`` here and notify the other processes."""
    if conf.TOKENS_DENYLIST_MODE == "snapshot":
        alias = router.db_for_write(DeniedToken)
        transaction.on_commit(partial(add, ids, until=until), using=alias)
        transaction.on_commit(partial(notify, alias), using=alias)

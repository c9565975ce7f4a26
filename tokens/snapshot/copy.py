"""
This process's copy of one denylist, which proves at each reading that it follows the database.

The copy has the rows whose ``until`` is later than its ``floor``, which is HELD_BACK before now: no
difference of clocks makes it miss a row that matters. Each row has a random ``nonce``. A reading

1. asks the database for the sum of the nonces of the rows up to a primary key, ``settled``, and
2. reads the rows above it: some that are known already, and the new ones.

If the sum is not that of the rows that the copy has read, then the table is not the one that was
read: a row appeared late, is gone, or has been replaced, as after a failover, a restore or by a
sequence that went back. Then everything is read anew. So neither an order of keys nor a clock is
trusted. They only decide how much is read. The sum takes some 0.1 µs per row that matters.

Between two readings, a notification lets the process take the new rows only. That proves nothing.
"""

import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from logging import getLogger
from math import inf
from typing import Any

from django.db import DatabaseError, connections
from django.db.models import F, QuerySet, Sum

from .. import clock, denylist, watching
from ..conf import conf
from ..database.places import place_of
from ..denylist import Entry
from ..denylist.notifications import Notifications
from ..models import DeniedToken
from . import reader

logger = getLogger("tokens")

# How far the clocks of two processes may be apart.
CLOCKS_APART = timedelta(minutes=20)
# After this time everything is read anew, so that what no longer matters is forgotten. Together with
# HELD_BACK less than denylist.PRUNE_SAFETY_MARGIN, after which rows are deleted.
RENEWED_AFTER = timedelta(minutes=5)
HELD_BACK = timedelta(minutes=35)
# No denial of a younger token is older than the floor, whatever lifetime the process knew that denied.
LOOKED_UP_AFTER = HELD_BACK - CLOCKS_APART
# The newest rows, which each reading reads again: transactions may commit in another order than that
# of their keys. One that commits later than so many others makes one reading longer.
OVERLAP = 200
# Parts of the bound: when the next reading begins, while the copy still answers; when notifications
# are looked at again; and when a reading is given up that has not come back.
READ_AT = 0.8
LISTEN_AT = 1 / 20
GIVEN_UP_AT = 5


_Row = tuple[int, int, str, datetime | None]
_COLUMNS = ("pk", "nonce", "value", "issued_before")


class Copy:
    """The denied ids, and the code that keeps them up to date. Thread-safe."""

    def __init__(self) -> None:
        self.notifications = Notifications()
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Drop everything, so that the next use reads the table."""
        self.notifications.forget()
        self._has_changes = False
        self._listen_at = self._read_at = self._reading_since = -inf
        self._floor: datetime | None = None
        self._settled = self._settled_sum = 0
        self._held: set[str] = set()
        self._cut_offs: dict[str, float] = {}
        self._added: list[tuple[float, Entry]] = []

    def __len__(self) -> int:
        return len(self._held)

    def is_known_good(
        self,
        ids: Iterable[str],
        *,
        subject: str,
        issued_at: int,
        now: datetime,
        wait: bool = True,
    ) -> bool:
        """
        Return whether the token was not refused TOKENS_DENYLIST_MAX_STALENESS ago or earlier.

        ``ids`` are those under which a denial may be, ``subject`` and ``issued_at`` the claims sub
        and iat. False decides nothing: the token may be denied, or the copy is older than the bound.
        The caller then has to query the database.

        With ``wait`` False, for an event loop, the reader's thread brings the copy up to date, and
        the copy answers as it is, within its bound.
        """
        bound = conf.TOKENS_DENYLIST_MAX_STALENESS.total_seconds()
        elapsed = clock.elapsed()
        if elapsed > self._listen_at or elapsed - self._read_at > bound * READ_AT:
            if wait:
                self.bring_up_to_date(bound, now=now)
            else:
                reader.ask(self, place_of(DeniedToken), bound, now=now)
            if clock.elapsed() - self._read_at > bound:
                return False
        held = self._held
        for each in ids:
            if each in held:
                return False
        return not self._cut_offs or not self._is_cut_off(subject, issued_at)

    def _is_cut_off(self, subject: str, issued_at: int) -> bool:
        # The iat is in whole seconds and of another host's clock: the session's row decides.
        return any(
            issued_at <= self._cut_offs.get(value, -inf) + CLOCKS_APART.total_seconds()
            for value in denylist.cut_off_values(subject)
        )

    def add(self, entries: Iterable[Entry]) -> None:
        """Add what this process has denied, before its next reading."""
        entries, at = list(entries), clock.elapsed()
        with self._lock:
            self._added += [(at, entry) for entry in entries]
            self._take(entries)

    def bring_up_to_date(self, bound: float, *, now: datetime) -> None:
        """Read, unless another thread does. No request waits for that: its own query is as fast."""
        began = clock.elapsed()
        if not self._lock.acquire(blocking=False):
            return
        try:
            if began - self._reading_since <= bound * GIVEN_UP_AT:
                return
            self._reading_since = began
        finally:
            self._lock.release()
        try:
            place = place_of(DeniedToken)
            alias = place.alias
            if self.notifications.has_changes(place):
                self._has_changes = True
            if not _sees_new_commits(connections[alias]):
                return
            if began - self._read_at > bound * READ_AT:
                self._read(alias, now=now)
            elif self._has_changes:
                self._take_new(alias)
        except DatabaseError as error:
            logger.warning("the denylist could not be read: %s", error)
            watching.tell("denylist_not_read", {})
        finally:
            self._listen_at = clock.elapsed() + bound * LISTEN_AT
            with self._lock:
                if self._reading_since == began:
                    self._reading_since = -inf

    def _take_new(self, alias: str) -> None:
        """Take the new rows only. It proves nothing, and costs the same with any number of rows."""
        self._has_changes = False  # What is announced from now on may come too late for this.
        found = self._rows(alias).filter(pk__gt=self._settled).values_list("value", "issued_before")
        entries = list(found)
        with self._lock:
            self._take(entries)

    def _read(self, alias: str, *, now: datetime) -> None:
        self._has_changes = False
        floor, settled, settled_sum = self._floor, self._settled, self._settled_sum
        if floor is None or not floor <= now - HELD_BACK <= floor + RENEWED_AFTER:
            self._read_anew(alias, now=now)
            return
        began = clock.elapsed()  # The copy is as old as the start of the first query.
        rows = self._rows(alias)
        # Not the column itself: SQLite would prefer the whole table to the index on ``until``.
        known = rows.alias(number=F("pk") + 0).filter(number__lte=settled)
        found_sum = known.aggregate(sum=Sum("nonce"))["sum"] or 0
        found = sorted(rows.filter(pk__gt=settled).values_list(*_COLUMNS))
        if found_sum == settled_sum:
            self._accept(found, began)
            return
        count = self._read_anew(alias, now=now)
        logger.warning(
            "the denylist was read anew (%d rows): rows that had been read are changed or gone, or "
            "others appeared late, as after a failover, a restore or a long transaction",
            count,
        )

    def _rows(self, alias: str, floor: datetime | None = None) -> QuerySet[DeniedToken]:
        return DeniedToken.objects.using(alias).filter(until__gt=floor or self._floor)

    def _read_anew(self, alias: str, *, now: datetime) -> int:
        """Replace the copy, and return how many rows it has."""
        began, floor = clock.elapsed(), now - HELD_BACK
        found = sorted(self._rows(alias, floor).values_list(*_COLUMNS))
        self._accept(found, began, new_floor=floor)
        return len(found)

    def _accept(
        self, found: Sequence[_Row], began: float, *, new_floor: datetime | None = None
    ) -> None:
        """Take what a reading found: the rows above ``settled``, or all of them above a new floor."""
        with self._lock:
            if began < self._read_at:
                return  # This reading was given up, and another thread has read meanwhile.
            # What this process denied since the reading began may not be in it.
            self._added = [(at, entry) for at, entry in self._added if at >= began]
            if new_floor is not None:
                self._floor, self._settled, self._settled_sum = new_floor, 0, 0
                self._held, self._cut_offs = set(), {}
                self._take(entry for _, entry in self._added)
            self._take((value, issued_before) for _, _, value, issued_before in found)
            if len(found) > 2 * OVERLAP:
                more = found[:-OVERLAP]
                self._settled = more[-1][0]
                self._settled_sum += sum(nonce for _, nonce, *_ in more)
            self._read_at = began
        anew = new_floor is not None
        watching.tell("denylist_read", {"began": began, "anew": anew, "held": len(self._held)})

    def _take(self, entries: Iterable[Entry]) -> None:
        for value, issued_before in entries:
            if issued_before is None:
                self._held.add(denylist.key_of(value))
            else:
                known = self._cut_offs.get(value, -inf)
                self._cut_offs[value] = max(known, issued_before.timestamp())


def _sees_new_commits(connection: Any) -> bool:
    """Return whether a query now returns the rows committed by now."""
    if not connection.in_atomic_block:
        return True
    if connection.vendor != "postgresql":
        return False
    from psycopg import IsolationLevel  # PostgreSQL only

    return bool(connection.isolation_level == IsolationLevel.READ_COMMITTED)  # PostgreSQL only

"""
This process's list of what is denied. Each reading proves that the list follows the database.

A reading

1. asks for the sum of the nonces of the rows up to a primary key, ``settled``, and
2. reads the rows above it: some that are known already, and the new ones.

If the sum differs, or a known row is gone, everything is read anew, and rows that were committed late
are added. If rows are gone that still matter, the database has another history, as after a failover or
a restore: the epoch gets another name, and each reader reads the whole list.

The list depends only on the rows and on an instant, so the lists of all processes have the same
digest. Only the order of their entries differs, by which ``since`` finds an increment. The digest
shows a reader whether the increment was enough.
"""

import secrets
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from heapq import heappop, heappush
from logging import getLogger
from math import inf
from operator import itemgetter
from typing import NamedTuple

from django.db.models import F, QuerySet, Sum

from .. import denylist
from ..models import DeniedToken
from .documents import Denial, digest_of
from .models import SINGLE_ROW, Epoch
from .rows import COLUMNS, Row, denials_of

logger = getLogger("tokens")

# Each reading reads so many of the newest rows again: transactions may commit in another order than
# that of their keys. One that commits after more than so many others makes one reading longer.
OVERLAP = 100
# After this time everything is read anew, so that rows that no longer matter are forgotten.
RENEWED_AFTER = timedelta(minutes=5)
# A clock that is set back by more than this begins another epoch.
MOST_STEP_BACK = 2_000  # milliseconds
# A guess, used for the order only: most denials are committed so soon after they began.
COMMITTED_WITHIN = 2_000  # milliseconds
# For a cursor of another process, whose clock differs: which changes before it are sent again.
NEAR, FAR, MOST_FAR = 1_000, 10_000, 100  # milliseconds, milliseconds, and how many of the latter


class Found(NamedTuple):
    """What a reading found: the new rows, or all rows if it read ``anew``."""

    at: int  # milliseconds
    epoch: str
    rows: list[Row]
    anew: bool

    @property
    def is_news(self) -> bool:
        return self.anew or bool(self.rows)


class Cursor(NamedTuple):
    """A reader's place: it has what ``process`` knew at the instant of its latest change."""

    epoch: str
    process: str
    changed_at: int  # milliseconds

    def __str__(self) -> str:
        return f"{self.epoch}.{self.process}.{self.changed_at}"


def read_cursor(text: str) -> Cursor | None:
    match text[:80].split("."):
        case [epoch, process, changed_at] if changed_at.isascii() and changed_at.isdecimal():
            return Cursor(epoch, process, int(changed_at[:16]))
    return None


class Listing:
    """
    What is denied at one place.

    ``read`` runs the queries, and changes nothing that ``since`` and ``denials`` use. ``take`` applies
    what ``read`` found. Only one thread at a time may call each of them.
    """

    def __init__(self) -> None:
        self._process = secrets.token_hex(4)
        self.denials: dict[Denial, int] = {}
        self.digest = 0
        self.at = self.changed_at = 0
        self.epoch = ""
        self._complete_since = 0
        self._order: list[tuple[int, Denial]] = []
        self._due: list[int] = []  # a heap of seconds
        self._due_then: dict[int, list[Denial]] = {}
        # The state of the readings.
        self._read_at = 0
        self._read_epoch = ""
        self._floor: datetime | None = None
        self._settled = self._settled_sum = 0
        self._known: dict[int, int] = {}  # the nonces of the rows that were read
        self._untils: dict[int, datetime] = {}
        self._cut_offs: set[int] = set()
        self._recent: dict[int, int] = {}  # the nonces of those that are not settled

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.epoch, self._process, self.changed_at)

    # Readings

    def read(self, alias: str, *, now: datetime) -> Found:
        """Read what changed since the last reading. Raises DatabaseError."""
        at = milliseconds(now)  # Before the queries: they see everything that is committed by now.
        epoch = _epoch(alias, now=now)
        stepped_back = at < self._read_at - MOST_STEP_BACK and epoch == self._read_epoch
        rows = None if stepped_back else self._read_new(alias, now=now)
        anew = rows is None
        if rows is None:
            rows = _sorted(_rows(alias, now))
            lost = self._count_lost(rows, now=now)
            if (lost or stepped_back) and epoch == self._read_epoch:
                logger.warning(
                    "the feed of denials begins another epoch: %d rows that had been read are gone, or "
                    "the clock was set back, as after a failover or a restore",
                    lost,
                )
                epoch = _begin_epoch(alias, epoch, now=now)
            self._floor, self._settled, self._settled_sum = now, 0, 0
            self._known, self._untils, self._cut_offs = {}, {}, set()
            self._note(rows)
        self._read_at, self._read_epoch = at, epoch
        return Found(at, epoch, rows, anew)

    def _read_new(self, alias: str, *, now: datetime) -> list[Row] | None:
        """Return the rows that are new, or None if everything has to be read anew."""
        floor = self._floor
        if floor is None or not floor <= now <= floor + RENEWED_AFTER:
            return None
        rows = _rows(alias, floor)
        # Not the column itself: SQLite would prefer the whole table to the index on ``until``.
        settled = rows.alias(number=F("pk") + 0).filter(number__lte=self._settled)
        if (settled.aggregate(sum=Sum("nonce"))["sum"] or 0) != self._settled_sum:
            return None
        found = _sorted(rows.filter(pk__gt=self._settled))
        nonces = {pk: nonce for pk, nonce, *_ in found}
        if any(nonces.get(pk) != nonce for pk, nonce in self._recent.items()):
            return None
        new = [row for row in found if row[0] not in self._known]
        self._note(found)
        return new

    def _count_lost(self, rows: list[Row], *, now: datetime) -> int:
        """Return how many known rows that still matter are not among these."""
        nonces = {pk: nonce for pk, nonce, *_ in rows}
        return sum(
            self._untils[pk] > now
            and nonces.get(pk) != nonce
            and not (pk in self._cut_offs and pk in nonces)  # The cut-off was moved on.
            for pk, nonce in self._known.items()
        )

    def _note(self, found: list[Row]) -> None:
        """Remember these sorted rows, and settle all but the newest of them."""
        for pk, nonce, until, *_, issued_before in found:
            self._known[pk], self._untils[pk] = nonce, until
            if issued_before is not None:
                self._cut_offs.add(pk)
        if len(found) > 2 * OVERLAP:
            more, found = found[:-OVERLAP], found[-OVERLAP:]
            self._settled = more[-1][0]
            self._settled_sum += sum(nonce for _, nonce, *_ in more)
        self._recent = {pk: nonce for pk, nonce, *_ in found}

    # Changes

    def take(self, found: Found) -> bool:
        """Apply a reading, and drop what is past. Return whether readers need another document."""
        is_first = not self.epoch
        changed = found.epoch != self.epoch
        self.at, self.epoch = found.at, found.epoch
        if found.anew:
            changed |= self._replace(found, is_first=is_first)
        else:
            changed |= self._add(pair for row in found.rows for pair in denials_of(row))
        if changed:
            self.changed_at = max(found.at, self.changed_at + 1)
        self._drop_past()
        if found.anew:
            self._order = [pair for pair in self._order if pair[1] in self.denials]
        return changed

    def _replace(self, found: Found, *, is_first: bool) -> bool:
        wanted: dict[Denial, int] = {}
        guessed: dict[Denial, int] = {}
        matters_for = denylist.longest_accepted()
        for row in found.rows:
            for denial, until in denials_of(row):
                wanted[denial] = max(until, wanted.get(denial, 0))
                began = milliseconds(row[2] - matters_for)
                guessed[denial] = min(found.at, began + COMMITTED_WITHIN)
        gone = [one for one in self.denials if wanted.get(one, 0) < self.denials[one]]
        # What is past is forgotten with its row.
        gone = [one for one in gone if self.denials[one] * 1000 > found.at]
        for denial in gone:
            self._remove(denial)
        if gone:
            # An increment cannot say that something is no longer denied.
            self._complete_since = found.at
        changed = self._add(wanted.items())
        if is_first:
            self._order = sorted(((guessed[one], one) for one in self.denials), key=_instant)
        return changed or bool(gone)

    def _add(self, pairs: Iterable[tuple[Denial, int]]) -> bool:
        # After a small step of the clock, the order is still that in which they came.
        at = max(self.at, self.changed_at + 1)
        changed = False
        for denial, until in pairs:
            former = self.denials.get(denial, 0)
            if until <= former or until * 1000 <= self.at:
                continue
            if former:
                self.digest ^= digest_of(denial, former)
            self.digest ^= digest_of(denial, until)
            self.denials[denial] = until
            self._order.append((at, denial))
            if until not in self._due_then:
                heappush(self._due, until)
            self._due_then.setdefault(until, []).append(denial)
            changed = True
        return changed

    def _remove(self, denial: Denial) -> None:
        self.digest ^= digest_of(denial, self.denials.pop(denial))

    def _drop_past(self) -> None:
        while self._due and self._due[0] * 1000 <= self.at:
            until = heappop(self._due)
            for denial in self._due_then.pop(until):
                if self.denials.get(denial) == until:
                    self._remove(denial)

    # Increments

    def since(self, cursor: Cursor | None, *, most: float = inf) -> Mapping[Denial, int] | None:
        """Return what this reader lacks, or None: it is unknown, or more than ``most``."""
        if cursor is None or cursor.epoch != self.epoch or cursor.changed_at < self._complete_since:
            return None
        first = bisect_right(self._order, cursor.changed_at, key=_instant)
        if cursor.process != self._process:
            near = bisect_left(self._order, cursor.changed_at - NEAR, key=_instant)
            far = bisect_left(self._order, cursor.changed_at - FAR, key=_instant)
            first = max(far, min(near, first) - MOST_FAR)
        if len(self._order) - first > most:
            return None
        found = (denial for _, denial in self._order[first:])
        return {denial: self.denials[denial] for denial in found if denial in self.denials}


def milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)


def _instant(pair: tuple[int, Denial]) -> int:
    return pair[0]


def _rows(alias: str, floor: datetime) -> QuerySet[DeniedToken]:
    return DeniedToken.objects.using(alias).filter(until__gt=floor)


def _sorted(rows: QuerySet[DeniedToken]) -> list[Row]:
    return sorted(rows.values_list(*COLUMNS), key=itemgetter(0))


def _epoch(alias: str, *, now: datetime) -> str:
    """Return the name of the epoch. The first process chooses it."""
    rows = Epoch.objects.using(alias)
    name = rows.values_list("name", flat=True).first()
    if name is not None:
        return str(name)
    first = Epoch(id=SINGLE_ROW, name=_new_name(), began_at=now)
    rows.bulk_create([first], ignore_conflicts=True)
    return str(rows.get().name)


def _begin_epoch(alias: str, former: str, *, now: datetime) -> str:
    """Give the epoch another name, unless another process has just done so, and return it."""
    rows = Epoch.objects.using(alias)
    rows.filter(name=former).update(name=_new_name(), began_at=now)
    return str(rows.get().name)


def _new_name() -> str:
    return secrets.token_hex(6)

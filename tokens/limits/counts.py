"""
Rates, the count of attempts of each caller, and rows that hold until an instant (``keep_until``).

A count drains evenly: with ``10/min``, ten attempts pass at once, and then one every six seconds. A
caller's row holds one time, at which its count is empty again. An attempt that passes moves that
time on by its cost. A refused attempt does not change it, so refused attempts never prolong a wait.

Attempts with passwords are counted here, in the database. Requests with tokens cannot guess
anything, and are counted in Django's cache instead: across all processes if CACHES names a server,
else per process. They are not worth a write each, and losing the cache loses the counts only.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any

from django.db import connections, router
from django.db.models import QuerySet

from .. import clock
from ..database import lasting, places
from ..errors import TooManyAttempts
from ..models import ThrottleCount

PERIODS = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}  # seconds
RATE = re.compile(rf"([1-9][0-9]*)/({'|'.join(PERIODS)})")

# Hosts' clocks differ by less. A time that is further ahead was written before a clock was set back
# or under another rate, and is ignored, because it would lock its caller out until then.
CLOCK_SLACK = timedelta(minutes=1)
_SECOND = 1_000_000  # microseconds, the unit of the table
_SLACK = CLOCK_SLACK // timedelta(microseconds=1)

# One statement, so that parallel attempts wait for the row and each is counted. A caller's cost is what
# the new row has beyond the present. If the WHERE is false, the count is full and does not change.
_TAKE = """
    INSERT INTO {table} (caller, clear_at) VALUES {rows}
    ON CONFLICT (caller) DO UPDATE SET clear_at = excluded.clear_at - %(now)s
        + CASE WHEN {table}.clear_at BETWEEN %(now)s AND %(horizon)s
            THEN {table}.clear_at ELSE %(now)s END
        WHERE {table}.clear_at NOT BETWEEN %(filled)s - excluded.clear_at AND %(horizon)s
    RETURNING caller
"""
# Not an UPDATE of several rows, which would lock them in any order. A row that was pruned meanwhile is
# inserted as one that was empty long ago.
_GIVE_BACK = """
    INSERT INTO {table} (caller, clear_at) VALUES {rows}
    ON CONFLICT (caller) DO UPDATE SET clear_at = {table}.clear_at - excluded.clear_at
"""
_KEEP_UNTIL = """
    INSERT INTO {table} (caller, clear_at) VALUES {rows}
    ON CONFLICT (caller) DO UPDATE SET clear_at = excluded.clear_at
        WHERE {table}.clear_at NOT BETWEEN excluded.clear_at AND %(horizon)s
"""

# The table has at most this many rows of counts. Beyond it, those that are empty soonest are deleted.
MOST_COUNTS = 99_000
LONGEST_PERIOD = timedelta(seconds=max(PERIODS.values()))


@dataclass(frozen=True, slots=True)
class Rate:
    limit: int
    period: int  # seconds


@dataclass(frozen=True, slots=True)
class Charge:
    """One attempt of one caller under one rate, and the share of its cost if the password is right."""

    caller: str
    rate: Rate
    share_if_right: float = 0.0

    @property
    def cost(self) -> int:
        """By how many microseconds the attempt moves the caller's time on."""
        return self.rate.period * _SECOND // self.rate.limit

    @property
    def capacity(self) -> int:
        """How many microseconds ahead the caller's time can be at most."""
        return self.cost * self.rate.limit


@cache  # A sign-in parses six, of few different texts.
def parse_rate(text: str) -> Rate | None:
    """Return the rate that a text such as ``10/min`` names, None if empty. Raises ValueError."""
    if not text:
        return None
    match = RATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a number per {', '.join(PERIODS)}, such as 10/min")
    return Rate(int(match[1]), PERIODS[match[2]])


def read(callers: Iterable[str]) -> dict[str, int]:
    """Return ``clear_at`` of each caller that has a row. Change nothing."""
    wanted = list(callers)
    if not wanted:
        return {}
    # Not through the ORM, which takes three times as long as the query.
    connection = _connection()
    table = connection.ops.quote_name(ThrottleCount._meta.db_table)
    values = ", ".join(["%s"] * len(wanted))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT caller, clear_at FROM {table} WHERE caller IN ({values})", wanted)  # noqa: S608
        return dict(cursor.fetchall())


def wait_for(charge: Charge, clear_at: int, *, now: datetime) -> timedelta | None:
    """Return how long a caller with this ``clear_at`` has to wait, None if it may try now."""
    instant = _instant(now)
    over = clear_at + charge.cost - (instant + charge.capacity)
    if over <= 0 or clear_at > instant + charge.capacity + _SLACK:
        return None
    return timedelta(microseconds=over)


def stands(
    clear_at: int | None, *, now: datetime, longest: timedelta, beyond: timedelta = timedelta(0)
) -> bool:
    """Return whether a row of ``keep_until`` with this ``clear_at`` stands ``beyond`` now."""
    if clear_at is None:
        return False
    return _instant(now + beyond) < clear_at <= _instant(now + longest + CLOCK_SLACK)


def waits(charges: Iterable[Charge], *, now: datetime) -> dict[str, timedelta]:
    """Return how long each caller has to wait that may not try now. Change nothing."""
    by_caller = {charge.caller: charge for charge in charges}
    rows = read(by_caller).items()
    waits = ((caller, wait_for(by_caller[caller], clear_at, now=now)) for caller, clear_at in rows)
    return {caller: wait for caller, wait in waits if wait}


def take(charges: Iterable[Charge], *, now: datetime) -> None:
    """
    Count one attempt of every caller, or of none if that is too many for one of them.

    The count lasts if a transaction of the caller is rolled back. Raises TooManyAttempts.
    """
    charges = list(charges)

    def work() -> bool:
        # Without a transaction, whose two further round trips every attempt would pay. Few attempts
        # find a count full that had room when it was read.
        taken = _add(charges, now=now)
        if len(taken) == len(charges):
            return True
        _give_back([(charge.caller, charge.cost) for charge in charges if charge.caller in taken])
        return False

    if charges and not lasting.do(work, ThrottleCount):
        # Another attempt was counted after this one had called waits().
        soonest = timedelta(microseconds=min(charge.cost for charge in charges))
        raise TooManyAttempts(max(waits(charges, now=now).values(), default=soonest))


def add(charges: Iterable[Charge], *, now: datetime) -> None:
    """Count one attempt of each caller whose count is not full. The count lasts as in ``take``."""
    charges = list(charges)

    if charges:
        lasting.do(lambda: _add(charges, now=now), ThrottleCount)


def give_back(charges: Iterable[Charge]) -> None:
    """Reduce the counts by what a right password does not cost."""
    _give_back(
        [(charge.caller, int(charge.cost * (1 - charge.share_if_right))) for charge in charges]
    )


def keep_until(caller: str, until: datetime, *, now: datetime, longest: timedelta) -> None:
    """Let the caller's row stand until then at least, and never for longer than ``longest``."""
    horizon = _instant(now + longest + CLOCK_SLACK)
    with places.atomic(ThrottleCount, savepoint=False):
        _upsert(_KEEP_UNTIL, [(caller, _instant(until))], horizon=horizon)


def forget(callers: Iterable[str]) -> None:
    ThrottleCount.objects.filter(pk__in=list(callers)).delete()


def prunable(*, now: datetime) -> QuerySet[ThrottleCount]:
    """Return the rows of empty counts, the oldest first."""
    return ThrottleCount.objects.filter(clear_at__lte=_instant(now)).order_by("clear_at")


def prune(*, limit: int, now: datetime | None = None) -> int:
    """Delete at most ``limit`` rows of empty counts, and return their number."""
    with places.atomic(ThrottleCount):
        # Skip rows that another transaction prunes or counts, so that neither waits.
        over = prunable(now=now or clock.now()).select_for_update(skip_locked=True)
        # Not a subquery: PostgreSQL may run it several times, with other rows each time.
        callers = list(over.values_list("pk", flat=True)[:limit])
        count, _ = ThrottleCount.objects.filter(pk__in=callers).delete()
    return count


def trim(*, now: datetime | None = None, most: int | None = None, limit: int = 1000) -> int:
    """
    Delete rows of counts beyond ``most``, at most ``limit`` of them, and return their number.

    Those that are empty soonest go first, so that no attacker can let the count of an account go by
    attempts at others. Rows that stand for longer than any count are neither counted nor deleted.
    """
    most = MOST_COUNTS if most is None else most
    horizon = _instant((now or clock.now()) + LONGEST_PERIOD + CLOCK_SLACK)
    counting = ThrottleCount.objects.filter(clear_at__lte=horizon)
    with places.atomic(ThrottleCount):
        last = counting.order_by("-clear_at").values_list("clear_at", flat=True)[most : most + 1]
        for clear_at in last:
            over = ThrottleCount.objects.filter(clear_at__lte=clear_at).order_by("clear_at")
            over = over.select_for_update(skip_locked=True)
            callers = list(over.values_list("pk", flat=True)[:limit])
            count, _ = ThrottleCount.objects.filter(pk__in=callers).delete()
            return count
    return 0


def _instant(moment: datetime) -> int:
    return int(moment.timestamp() * _SECOND)


def _connection() -> Any:
    return connections[router.db_for_write(ThrottleCount)]


def _give_back(rows: Sequence[tuple[str, int]]) -> None:
    if rows:
        # Within the transaction of a sign-in, a savepoint would add two round trips.
        with places.atomic(ThrottleCount, savepoint=False):
            _upsert(_GIVE_BACK, rows)


def _add(charges: Sequence[Charge], *, now: datetime) -> set[str]:
    """Add the costs of the charges to the counts that are not full; return the callers of those."""
    instant, added = _instant(now), set[str]()
    # All code locks the rows in the same order, so that two transactions never deadlock.
    ordered = sorted(charges, key=lambda charge: (charge.capacity, charge.caller))
    for capacity, group in groupby(ordered, key=lambda charge: charge.capacity):
        added |= _upsert(
            _TAKE,
            [(charge.caller, instant + charge.cost) for charge in group],
            now=instant,
            horizon=instant + capacity + _SLACK,
            # A count is full if its time is later than the present and the capacity, less the cost.
            filled=2 * instant + capacity + 1,
        )
    return added


def _upsert(statement: str, rows: Sequence[tuple[str, int]], **parameters: int) -> set[str]:
    """Run ``statement`` with these rows, and return the callers of those that it returns."""
    values = ", ".join(f"(%(caller{n})s, %(value{n})s)" for n in range(len(rows)))
    connection = _connection()
    table = connection.ops.quote_name(ThrottleCount._meta.db_table)
    for number, (caller, value) in enumerate(sorted(rows)):
        parameters |= {f"caller{number}": caller, f"value{number}": value}  # type: ignore[dict-item]
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("{table}", table).replace("{rows}", values), parameters)
        return {caller for (caller,) in cursor.fetchall()} if cursor.description else set()

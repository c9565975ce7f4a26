"""
Rates, and the count of attempts of each caller.

A count drains evenly: with ``10/min``, ten attempts pass at once, and then one every six seconds. A
caller's row holds one time, at which its count is empty again. An attempt that passes moves that
time on by its cost. A refused attempt does not change it, so refused attempts never prolong a wait.

Attempts with passwords are counted here, in the database. Requests with tokens cannot guess
anything, and are counted in Django's cache instead: across all processes if CACHES names a server,
else per process. They are not worth a write each, and losing the cache loses the counts only.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from .. import clock, lasting
from ..errors import TooManyAttempts
from ..models import ThrottleCount

PERIODS = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}  # seconds
RATE = re.compile(rf"([1-9][0-9]*)/({'|'.join(PERIODS)})")

# Hosts' clocks differ by less. A time that is further ahead was written before a clock was set back
# or under another rate, and is ignored, because it would lock its caller out until then.
CLOCK_SLACK = timedelta(minutes=1)
_SECOND = 1_000_000  # microseconds, the unit of the table
_SLACK = CLOCK_SLACK // timedelta(microseconds=1)

# One statement, so that parallel attempts wait for the row and each is counted. If the WHERE is
# false, the count is full and the statement changes nothing.
_TAKE = """
    INSERT INTO {table} (caller, clear_at) VALUES (%(caller)s, %(first)s)
    ON CONFLICT (caller) DO UPDATE SET clear_at = %(cost)s
        + CASE WHEN {table}.clear_at BETWEEN %(now)s AND %(horizon)s
            THEN {table}.clear_at ELSE %(now)s END
        WHERE {table}.clear_at NOT BETWEEN %(full)s AND %(horizon)s
"""
_GIVE_BACK = "UPDATE {table} SET clear_at = clear_at - %(part)s WHERE caller = %(caller)s"


@dataclass(frozen=True, slots=True)
class Rate:
    limit: int
    period: int  # seconds


@dataclass(frozen=True, slots=True)
class Charge:
    """One attempt of one caller under one rate."""

    caller: str
    rate: Rate

    @property
    def cost(self) -> int:
        """By how many microseconds the attempt moves the caller's time on."""
        return self.rate.period * _SECOND // self.rate.limit

    @property
    def capacity(self) -> int:
        """How many microseconds ahead the caller's time can be at most."""
        return self.cost * self.rate.limit


def parse_rate(text: str) -> Rate | None:
    """Return the rate that a text such as ``10/min`` names, None if empty. Raises ValueError."""
    if not text:
        return None
    match = RATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a number per {', '.join(PERIODS)}, such as 10/min")
    return Rate(int(match[1]), PERIODS[match[2]])


def network_of(address: str | None) -> str:
    """Return what counts as one caller: an IPv4 address, or an IPv6 network of 64 bits."""
    parsed = ipaddress.ip_address(address or "0.0.0.0")  # noqa: S104
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped:
        # How a server that listens on IPv6 sees IPv4 callers. They would all share one /64.
        return str(parsed.ipv4_mapped)
    # One subscriber has at least a /64, and could use another address for each attempt.
    return str(ipaddress.IPv6Network((int(parsed), 64), strict=False))


def waits(charges: Iterable[Charge], *, now: datetime) -> dict[str, timedelta]:
    """Return how long each caller has to wait that may not try now. Change nothing."""
    by_caller = {charge.caller: charge for charge in charges}
    rows = ThrottleCount.objects.filter(pk__in=by_caller).values_list("caller", "clear_at")
    waits = ((caller, _wait(by_caller[caller], clear_at, now=now)) for caller, clear_at in rows)
    return {caller: wait for caller, wait in waits if wait}


def take(charges: Sequence[Charge], *, now: datetime) -> None:
    """
    Count one attempt of every caller, or of none if that is too many for one of them.

    All code passes ``charges`` in the same order, so that two transactions never deadlock. The
    count lasts if a transaction of the caller is rolled back. Raises TooManyAttempts.
    """
    if not charges:
        return

    def work() -> bool:
        with transaction.atomic():
            rows = [_take_parameters(charge, now=now) for charge in charges]
            passed = _execute_for_each(_TAKE, rows) == len(charges)
            transaction.set_rollback(not passed)
        return passed

    if not lasting.do(work, ThrottleCount):
        # Another attempt was counted after this one had called waits().
        soonest = timedelta(microseconds=min(charge.cost for charge in charges))
        raise TooManyAttempts(max(waits(charges, now=now).values(), default=soonest))


def give_back(charges: Sequence[Charge], *, share: float) -> None:
    """Reduce the counts by ``share`` (0 to 1) of what the charges cost."""
    if not charges:
        return
    # Within the transaction of a sign-in, a savepoint would add two round trips.
    with transaction.atomic(savepoint=False):
        _execute_for_each(
            _GIVE_BACK,
            [{"caller": charge.caller, "part": int(charge.cost * share)} for charge in charges],
        )


def prunable(*, now: datetime) -> QuerySet[ThrottleCount]:
    """Return the rows of empty counts, the oldest first."""
    return ThrottleCount.objects.filter(clear_at__lte=_instant(now)).order_by("clear_at")


def prune(*, limit: int, now: datetime | None = None) -> int:
    """Delete at most ``limit`` rows of empty counts, and return their number."""
    with transaction.atomic():
        # Skip rows that another transaction prunes or counts, so that neither waits.
        over = prunable(now=now or clock.now()).select_for_update(skip_locked=True)
        # Not a subquery: PostgreSQL may run it several times, with other rows each time.
        callers = list(over.values_list("pk", flat=True)[:limit])
        count, _ = ThrottleCount.objects.filter(pk__in=callers).delete()
    return count


def _instant(moment: datetime) -> int:
    return int(moment.timestamp() * _SECOND)


def _wait(charge: Charge, clear_at: int, *, now: datetime) -> timedelta | None:
    instant = _instant(now)
    over = clear_at + charge.cost - (instant + charge.capacity)
    if over <= 0 or clear_at > instant + charge.capacity + _SLACK:
        return None
    return timedelta(microseconds=over)


def _take_parameters(charge: Charge, *, now: datetime) -> dict[str, Any]:
    instant = _instant(now)
    return {
        "caller": charge.caller,
        "first": instant + charge.cost,
        "cost": charge.cost,
        "now": instant,
        "full": instant + charge.capacity - charge.cost + 1,
        "horizon": instant + charge.capacity + _SLACK,
    }


def _execute_for_each(statement: str, rows: Sequence[dict[str, Any]]) -> int:
    """
    Run ``statement`` once with each of ``rows`` as parameters; return how many rows changed.

    psycopg sends all of them to PostgreSQL in one round trip.
    """
    table = connection.ops.quote_name(ThrottleCount._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(statement.replace("{table}", table), rows)
        return int(cursor.rowcount)

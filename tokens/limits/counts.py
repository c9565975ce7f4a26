"""
Limits: a rate, and what counts against each caller.

What counts drains evenly: of ``10/min``, ten attempts pass at once and then one every six
seconds. A caller's row holds one instant, the one at which everything has drained; an attempt
that passes moves it on by its cost, and one that is refused moves nothing, so that no stream of
refused attempts ever prolongs a wait.

Passwords are counted so, in the database. Requests with tokens, which nobody can guess, are
counted in Django's cache instead: across all processes where CACHES names a server, else per
process. What they cost is not worth a write, and losing the cache loses counts and nothing else.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from ..errors import TooManyAttempts
from ..models import ThrottleCount

PERIODS = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}  # seconds
RATE = re.compile(rf"([1-9][0-9]*)/({'|'.join(PERIODS)})")

# Hosts' clocks differ by less. What lies further ahead was written before a clock was set back, or
# under another rate, and would lock its caller out until then.
CLOCK_SLACK = timedelta(minutes=1)
_SECOND = 1_000_000  # microseconds, the unit of the table
_SLACK = CLOCK_SLACK // timedelta(microseconds=1)

# One statement, so that parallel callers queue at the row and none is counted away. Where its
# WHERE is false it changes nothing.
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
    """One attempt, as it counts against one caller."""

    caller: str
    rate: Rate

    @property
    def cost(self) -> int:
        return self.rate.period * _SECOND // self.rate.limit

    @property
    def room(self) -> int:
        return self.cost * self.rate.limit


def parse_rate(text: str) -> Rate | None:
    """Return the rate that ``10/min`` describes, None for an empty one. Raises ValueError."""
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
        # A server that listens on IPv6 sees IPv4 callers so: all of them in one /64.
        return str(parsed.ipv4_mapped)
    # One subscriber has at least a /64, and would have a fresh address for each try.
    return str(ipaddress.IPv6Network((int(parsed), 64), strict=False))


def waits(charges: Iterable[Charge], *, now: datetime) -> dict[str, timedelta]:
    """Return how long each caller whom one more attempt is too much has to wait; change nothing."""
    by_caller = {charge.caller: charge for charge in charges}
    rows = ThrottleCount.objects.filter(pk__in=by_caller).values_list("caller", "clear_at")
    waits = ((caller, _wait(by_caller[caller], clear_at, now=now)) for caller, clear_at in rows)
    return {caller: wait for caller, wait in waits if wait}


def take(charges: Sequence[Charge], *, now: datetime) -> None:
    """
    Count one attempt against every caller, or, if that is too much for one of them, against none.

    ``charges`` come in one order everywhere, so that two callers never wait for each other.
    Raises TooManyAttempts.
    """
    if not charges:
        return
    with transaction.atomic():
        passed = _for_each(_TAKE, [_taken(charge, now=now) for charge in charges]) == len(charges)
        transaction.set_rollback(not passed)
    if not passed:
        # Another attempt was first, after the caller had looked who is full.
        soonest = timedelta(microseconds=min(charge.cost for charge in charges))
        raise TooManyAttempts(max(waits(charges, now=now).values(), default=soonest))


def give_back(charges: Sequence[Charge], *, share: float) -> None:
    """Let this share of what the charges cost count no longer."""
    if not charges:
        return
    # A savepoint would be two more round trips, within the transaction of a sign-in.
    with transaction.atomic(savepoint=False):
        _for_each(
            _GIVE_BACK,
            [{"caller": charge.caller, "part": int(charge.cost * share)} for charge in charges],
        )


def prunable(*, now: datetime) -> QuerySet[ThrottleCount]:
    """Return the rows that say nothing any more, the oldest first."""
    return ThrottleCount.objects.filter(clear_at__lte=_instant(now)).order_by("clear_at")


def prune(*, limit: int, now: datetime | None = None) -> int:
    """Delete at most ``limit`` rows that say nothing any more, and return their number."""
    with transaction.atomic():
        # Whoever else prunes, or counts, takes other rows, and nobody waits.
        over = prunable(now=now or timezone.now()).select_for_update(skip_locked=True)
        # As a subquery, PostgreSQL may ask for them again and again, and others each time.
        callers = list(over.values_list("pk", flat=True)[:limit])
        count, _ = ThrottleCount.objects.filter(pk__in=callers).delete()
    return count


def _instant(moment: datetime) -> int:
    return int(moment.timestamp() * _SECOND)


def _wait(charge: Charge, clear_at: int, *, now: datetime) -> timedelta | None:
    instant = _instant(now)
    over = clear_at + charge.cost - (instant + charge.room)
    if over <= 0 or clear_at > instant + charge.room + _SLACK:
        return None
    return timedelta(microseconds=over)


def _taken(charge: Charge, *, now: datetime) -> dict[str, Any]:
    instant = _instant(now)
    return {
        "caller": charge.caller,
        "first": instant + charge.cost,
        "cost": charge.cost,
        "now": instant,
        "full": instant + charge.room - charge.cost + 1,
        "horizon": instant + charge.room + _SLACK,
    }


def _for_each(statement: str, rows: Sequence[dict[str, Any]]) -> int:
    """
    Run ``statement`` with the parameters of each row, and return how many rows that changed.

    To PostgreSQL they go together, in one round trip.
    """
    table = connection.ops.quote_name(ThrottleCount._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(statement.replace("{table}", table), rows)
        return int(cursor.rowcount)

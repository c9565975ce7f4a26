"""A limit on sign-ins that counts in the database, for every process alike, without losing one."""

import ipaddress
import re
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from .conf import conf
from .http import ip_address_of
from .models import ThrottleCount

PERIODS = {"sec": 1, "min": 60, "hour": 3600, "day": 86400}  # seconds
RATE = re.compile(rf"([1-9][0-9]*)/({'|'.join(PERIODS)})")


@dataclass(frozen=True, slots=True)
class Rate:
    limit: int
    period: int  # seconds


def parse_rate(text: str) -> Rate | None:
    """Return the rate that ``10/min`` describes, None for an empty one. Raises ValueError."""
    if not text:
        return None
    match = RATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a number per {', '.join(PERIODS)}, such as 10/min")
    return Rate(int(match[1]), PERIODS[match[2]])


def count_up(caller: str, *, window_start: int) -> int:
    """Count one more for ``caller`` in this window and return how many it has."""
    table = connection.ops.quote_name(ThrottleCount._meta.db_table)
    with connection.cursor() as cursor:
        # One statement, so that parallel callers queue at the row and none is counted away.
        cursor.execute(
            f"INSERT INTO {table} (caller, window_start, count) VALUES (%s, %s, 1)"  # noqa: S608
            " ON CONFLICT (caller) DO UPDATE SET"
            f" count = CASE WHEN {table}.window_start = excluded.window_start"
            f" THEN {table}.count + 1 ELSE 1 END,"
            " window_start = excluded.window_start"
            " RETURNING count",
            [caller, window_start],
        )
        return int(cursor.fetchone()[0])


def prunable(*, now: datetime) -> QuerySet[ThrottleCount]:
    """Return the counts whose window is over, whichever rate they were counted under."""
    window_over = int(now.timestamp()) - max(PERIODS.values())
    return ThrottleCount.objects.filter(window_start__lt=window_over).order_by("window_start")


class LoginThrottle(BaseThrottle):
    """TOKENS_LOGIN_THROTTLE sign-ins per client address; the window is fixed, not sliding."""

    _wait = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        rate = parse_rate(conf.TOKENS_LOGIN_THROTTLE)
        if rate is None:
            return True
        now = time.time()
        window_start = int(now // rate.period) * rate.period
        self._wait = window_start + rate.period - now
        return count_up(f"login {_network(request)}", window_start=window_start) <= rate.limit

    def wait(self) -> float:
        return self._wait


def _network(request: Request) -> str:
    address = ipaddress.ip_address(ip_address_of(request) or "0.0.0.0")  # noqa: S104
    if address.version == 6:
        # One subscriber has at least a /64, and would have a fresh address for each try.
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)

"""
The time zone in which pages show times.

Without JavaScript no browser tells its time zone, so a cookie can hold the one that the reader chose. Without the
cookie it is the project's. The script of the pages converts the times to the browser's own.
"""

from datetime import UTC, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from ..client.cookie import find_cookie, full_name
from ..conf import conf

COOKIE = "latchkey_timezone"
MAX_AGE = 365 * 24 * 3600  # seconds
REGIONS = {
    *("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe"),
    *("Indian", "Pacific"),
}


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Return the names to choose from: those with a region, and UTC."""
    found = (name for name in available_timezones() if name.partition("/")[0] in REGIONS)
    return ("UTC", *sorted(found))


def zone_of(request: HttpRequest | Request) -> tzinfo:
    """Return the time zone that the reader chose, or the current one."""
    chosen = find_cookie(request, COOKIE)
    if chosen is None or chosen.reveal() not in names():
        return timezone.get_current_timezone()
    # A system can lack the database of zones.
    return UTC if chosen.reveal() == "UTC" else ZoneInfo(chosen.reveal())


def remember(response: HttpResponseBase, name: str) -> None:
    response.set_cookie(
        full_name(COOKIE),
        name,
        max_age=MAX_AGE,
        secure=conf.TOKENS_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )

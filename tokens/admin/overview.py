"""
What the admin's first page shows, at a cost that does not depend on the number of sessions.

The numbers of each day are one row of ``DailyCount``. Live sessions are counted among the newest
sessions. This count, and the check for overdue pruning, are cached for a minute. Each part is shown only
to staff with the permission to view its subject.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from logging import getLogger
from statistics import median
from typing import Any, TypeVar

from django.contrib.admin import AdminSite
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from .. import clock
from ..conf import conf
from ..database.places import place_of
from ..models import DailyCount, EndReason, PruneRun, Session, SigningKey
from ..operations import pruning
from ..operations.tally import Tally, tally
from .base import admin_url, has_permission
from .charts import Chart, number

logger = getLogger("tokens")

T = TypeVar("T")

DAYS = 14
TIMEOUT = 60  # seconds
INCIDENTS_SINCE = timedelta(days=7)
MOST_INCIDENTS = 100  # that are counted
# A notice appears for this many failed sign-ins today, if they are this many times the usual number.
MANY_FAILED, TIMES_USUAL = 100, 3

SERIES = {
    "sign_ins": gettext_lazy("Sign-ins"),
    "failed_sign_ins": gettext_lazy("Failed sign-ins"),
    "refreshes": gettext_lazy("Refreshes"),
    "repeats": gettext_lazy("Repeated pairs"),
    "reuses": gettext_lazy("Reuse incidents"),
    "revocations": gettext_lazy("Revocations"),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that needs attention, and where it can be looked at."""

    text: str
    link: str
    address: str


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    text: str
    is_alarm: bool
    address: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    days: tuple[date, ...]
    charts: tuple[Chart, ...]
    figures: tuple[Figure, ...]
    notices: tuple[Notice, ...]

    @property
    def rows(self) -> list[tuple[date, list[str]]]:
        """Return the numbers of each day as rows of a table, the newest first."""
        columns = [[number(value) for value in chart.numbers] for chart in self.charts]
        each = zip(self.days, zip(*columns, strict=True), strict=True)
        return [(day, list(numbers)) for day, numbers in reversed(list(each))]


def overview(request: HttpRequest, site: AdminSite, *, now: datetime | None = None) -> Overview:
    """Return what the staff member of the request may see."""
    now = now or clock.now()
    parts = [
        part(site, now=now, request=request)
        for permission, part in (
            ("view_session", _sessions),
            ("view_signingkey", _signing_key),
            ("view_prunerun", _pruning),
        )
        if has_permission(request, permission)
    ]
    may_view = has_permission(request, "view_session")
    days, numbers = numbers_of_days(now=now) if may_view else ((), {})
    charts = [
        Chart(name, str(title), days, numbers[name]) for name, title in SERIES.items() if may_view
    ]
    more = [_failed_sign_ins(numbers["failed_sign_ins"])] if may_view else []
    figures = [figure for figure, _notices in parts]
    notices = [notice for _figure, found in parts for notice in found] + [n for n in more if n]
    return Overview(days, tuple(charts), tuple(figures), tuple(notices))


def numbers_of_days(*, now: datetime) -> tuple[tuple[date, ...], dict[str, list[int]]]:
    """Return the last DAYS days of the project's time zone, and the numbers of each, by name."""
    today = timezone.localdate(now, timezone.get_default_timezone())
    days = tuple(today - timedelta(days=ago) for ago in reversed(range(DAYS)))
    rows = {row.day: row for row in DailyCount.objects.filter(day__range=(days[0], days[-1]))}
    return days, {
        name: [getattr(rows[day], name) if day in rows else 0 for day in days] for name in SERIES
    }


def _sessions(
    site: AdminSite, *, now: datetime, request: HttpRequest
) -> tuple[Figure, list[Notice]]:
    page = admin_url(site, Session, "changelist")
    live: Tally = _cached_for_a_minute("live", lambda: tally(Session.objects.all(), now=now))
    text = number(live.sessions)
    if not live.exact:
        text = _("at least %(number)s") % {"number": text}
    figure = Figure(_("Live sessions"), text, False, f"{page}?state=live")
    since = now - INCIDENTS_SINCE
    recent = Session.objects.filter(
        ended_at__isnull=False, end_reason=EndReason.REUSE, ended_at__gte=since
    )
    incidents = recent[:MOST_INCIDENTS].count()
    if not incidents:
        return figure, []
    words = ngettext(
        "%(number)s session ended in the last 7 days because a refresh token was used again. "
        "The token may have been stolen.",
        "%(number)s sessions ended in the last 7 days because a refresh token was used again. "
        "The tokens may have been stolen.",
        incidents,
    )
    shown = number(incidents)
    if incidents == MOST_INCIDENTS:
        shown = _("At least %(number)s") % {"number": shown}
    notice = Notice(words % {"number": shown}, _("Show the incidents"), f"{page}?reason=reuse")
    return figure, [notice]


def _signing_key(
    site: AdminSite, *, now: datetime, request: HttpRequest
) -> tuple[Figure, list[Notice]]:
    page = admin_url(site, SigningKey, "changelist")
    signing = SigningKey.objects.filter(state=SigningKey.State.SIGNING).only("signs_since").first()
    name = _("Age of the signing key")
    if signing is None or signing.signs_since is None:
        text = _("There is no signing key, so no user can sign in.")
        figure = Figure(name, _("no signing key"), True, page)
        return figure, [Notice(text, _("Show the keys"), page)]
    age = timesince(signing.signs_since, now, depth=1)
    if now - signing.signs_since <= conf.TOKENS_KEY_MAX_AGE:
        return Figure(name, age, False, page), []
    text = _("The signing key has signed for %(age)s. Rotate it. This signs out no user.")
    may = has_permission(request, "rotate_signingkey")
    where = admin_url(site, SigningKey, "rotate") if may else page
    link = _("Rotate the signing key") if may else _("Show the keys")
    return Figure(name, age, True, page), [Notice(text % {"age": age}, link, where)]


def _pruning(
    site: AdminSite, *, now: datetime, request: HttpRequest
) -> tuple[Figure, list[Notice]]:
    run = PruneRun.objects.first()
    # A killed run has no finished_at: show started_at.
    at = (run.finished_at or run.started_at) if run else None
    text = timesince(at, now, depth=1) if at else _("never pruned")
    overdue = _cached_for_a_minute("overdue", lambda: bool(pruning.overdue(now=now)))
    figure = Figure(_("Since the last pruning"), text, overdue)
    if not overdue:
        return figure, []
    words = _(
        "Rows that are no longer needed have been kept for more than a week. Run "
        "“manage.py prune_tokens” every day."
    )
    page = admin_url(site, Session, "changelist")
    return figure, [Notice(words, _("Show the oldest expired sessions"), f"{page}?state=expired")]


def _failed_sign_ins(numbers: list[int]) -> Notice | None:
    """Return a notice if far more sign-ins failed today than on most of the days before."""
    *before, today = numbers
    usual = round(median(before))
    if today < MANY_FAILED or today <= TIMES_USUAL * usual:
        return None
    words = _("%(today)s sign-ins failed today. On most days, about %(usual)s fail.")
    text = words % {"today": number(today), "usual": number(usual)}
    return Notice(text, _("Show the numbers of each day"), "#tokens-days")


def _cached_for_a_minute(name: str, compute: Callable[[], T]) -> T:
    # Tenants share a cache. A key of a cache may not have each character of a place.
    place = sha256(repr(place_of(Session)).encode()).hexdigest()
    name = f"tokens.overview.{name}.{place}"
    known: Any = None
    try:
        known = cache.get(name)
    except Exception as error:  # Each cache backend has its own exceptions.
        logger.warning("the cache does not answer: %s", type(error).__name__)
    if known is None:
        known = compute()
        with suppress(Exception):  # It was logged above.
            cache.set(name, known, TIMEOUT)
    result: T = known
    return result

"""
The numbers on the admin's first page, at a cost that does not depend on the number of sessions.

The count of a past day is cached until that day is no longer shown. Today's count and the number of
live sessions are cached for a minute. Without the cache, each day is counted by index ranges.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from logging import getLogger
from typing import Any, TypeVar

from django.core.cache import cache
from django.db.models import Count
from django.utils import timezone

from .. import clock
from ..conf import conf
from ..models import EndReason, PruneRun, Session, SigningKey
from ..operations import pruning
from ..operations.tally import Tally, tally

logger = getLogger("tokens")

T = TypeVar("T")

DAYS = 14
TODAY_TIMEOUT = 60  # seconds
PAST_DAY_TIMEOUT = DAYS * 24 * 60 * 60  # seconds
# The end reasons that count as a revocation: all except a sign-out and a deleted user.
REVOCATIONS = (
    EndReason.REVOKED,
    EndReason.REUSE,
    EndReason.PASSWORD_CHANGED,
    EndReason.USER_INACTIVE,
)

# The chart, in units of its viewBox. The style sheet decides its size on the page.
DAY_WIDTH, BAR_WIDTH, GAP, HEIGHT = 20, 8, 1, 100


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    sign_ins: int
    revocations: int
    incidents: int


@dataclass(frozen=True, slots=True)
class Bar:
    x: int
    y: int
    height: int
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Overview:
    live: Tally
    days: tuple[Day, ...]
    signing_since: datetime | None
    key_is_old: bool
    pruned_at: datetime | None
    pruning_is_overdue: bool

    bar_width = BAR_WIDTH
    height = HEIGHT
    width = DAYS * DAY_WIDTH

    @property
    def sign_ins(self) -> int:
        return sum(day.sign_ins for day in self.days)

    @property
    def revocations(self) -> int:
        return sum(day.revocations for day in self.days)

    @property
    def incidents(self) -> int:
        return sum(day.incidents for day in self.days)

    @property
    def highest(self) -> int:
        return max(max(day.sign_ins, day.revocations) for day in self.days)

    @property
    def bars(self) -> list[Bar]:
        return [
            _bar(at, which, kind, number, day, self.highest)
            for at, day in enumerate(self.days)
            for which, (kind, number) in enumerate(
                (("sign-ins", day.sign_ins), ("revocations", day.revocations))
            )
        ]


def overview(*, now: datetime | None = None) -> Overview:
    now = now or clock.now()
    signing = SigningKey.objects.filter(state=SigningKey.State.SIGNING).only("signs_since").first()
    since = signing.signs_since if signing else None
    run = PruneRun.objects.first()
    return Overview(
        live=_cached_for_a_minute("live", lambda: tally(Session.objects.all(), now=now)),
        days=_days(now=now),
        signing_since=since,
        key_is_old=since is None or now - since > conf.TOKENS_KEY_MAX_AGE,
        # A killed run has no finished_at: show started_at.
        pruned_at=(run.finished_at or run.started_at) if run else None,
        pruning_is_overdue=_cached_for_a_minute("overdue", lambda: bool(pruning.overdue(now=now))),
    )


def _days(*, now: datetime) -> tuple[Day, ...]:
    zone = timezone.get_default_timezone()
    today = timezone.localdate(now, zone)
    wanted = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    names = {f"tokens.overview.{zone}.{day:%Y-%m-%d}": day for day in wanted}
    known: dict[str, Day] = _cached(names)
    missing = {name: day for name, day in names.items() if name not in known}
    if missing:
        fresh = {name: _count(day, zone=zone) for name, day in missing.items()}
        for name, day in fresh.items():
            _store(name, day, TODAY_TIMEOUT if day.on == today else PAST_DAY_TIMEOUT)
        known = {**known, **fresh}
    return tuple(known[name] for name in names)


def _count(day: date, *, zone: Any) -> Day:
    """Count one day with two index-only range scans."""
    begin = datetime.combine(day, time.min, zone)
    end = datetime.combine(day + timedelta(days=1), time.min, zone)
    sign_ins = Session.objects.filter(started_at__gte=begin, started_at__lt=end).count()
    ended = Session.objects.filter(
        ended_at__gte=begin, ended_at__lt=end, end_reason__in=REVOCATIONS
    )
    by_reason = dict(ended.order_by().values_list("end_reason").annotate(n=Count("*")))
    return Day(day, sign_ins, sum(by_reason.values()), by_reason.get(EndReason.REUSE, 0))


def _cached_for_a_minute(name: str, compute: Callable[[], T]) -> T:
    name = f"tokens.overview.{name}"
    known: T | None = _cached([name]).get(name)
    if known is None:
        known = compute()
        _store(name, known, TODAY_TIMEOUT)
    return known


def _cached(names: Iterable[str]) -> dict[str, Any]:
    try:
        return dict(cache.get_many(list(names)))
    except Exception as error:  # Each cache backend has its own exceptions.
        logger.warning("the cache does not answer: %s", type(error).__name__)
        return {}


def _store(name: str, value: Any, seconds: int) -> None:
    with suppress(Exception):  # _cached() has logged it.
        cache.set(name, value, seconds)


def _bar(at: int, which: int, kind: str, number: int, day: Day, highest: int) -> Bar:
    # At least 2 units, so that a small number is visible.
    height = max(2, round(number * HEIGHT / highest)) if number else 0
    x = at * DAY_WIDTH + GAP + which * (BAR_WIDTH + GAP)
    title = f"{day.on:%Y-%m-%d}: {number:,} {kind}"
    return Bar(x, HEIGHT - height, height, kind, title)

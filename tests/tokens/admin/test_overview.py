"""The admin's first page summarizes recent activity with a few index range scans."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.grace import rotate_twice
from tests.tokens.admin.conftest import statements
from tokens import sessions
from tokens.admin import overview as page
from tokens.admin.overview import Day, overview
from tokens.errors import RefreshTokenReused
from tokens.models import EndReason, Session, SigningKey
from tokens.operations import pruning

NOW = datetime(2030, 1, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
INDEX = "/admin/"


def costs(call: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


def test_days_are_counted_from_fourteen_days_ago_to_today(user: Any) -> None:
    for ago in (0, 0, 1, 13, 14):
        sessions.start(user, now=NOW - ago * DAY)
    days = overview(now=NOW).days
    assert len(days) == 14
    assert days[0] == Day(date(2030, 1, 7), sign_ins=1, revocations=0, incidents=0)
    assert days[-2] == Day(date(2030, 1, 19), sign_ins=1, revocations=0, incidents=0)
    assert days[-1] == Day(date(2030, 1, 20), sign_ins=2, revocations=0, incidents=0)
    assert overview(now=NOW).sign_ins == 4


def test_a_day_begins_at_midnight_of_the_sites_own_zone(user: Any, settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"  # 13 hours ahead in January
    sessions.start(user, now=datetime(2030, 1, 19, 10, 59, tzinfo=UTC))
    sessions.start(user, now=datetime(2030, 1, 19, 11, 0, tzinfo=UTC))
    with timezone.override("America/New_York"):  # the viewer's time zone
        days = overview(now=NOW).days
    assert days[-1].on == date(2030, 1, 21)
    assert [day.sign_ins for day in days[-3:]] == [1, 1, 0]


def test_a_sign_out_is_no_revocation_and_an_incident_is_one(user: Any) -> None:
    for reason in EndReason:
        sessions.end([sessions.start(user, now=NOW).session], reason=reason, now=NOW)
    today = overview(now=NOW).days[-1]
    assert (today.revocations, today.incidents) == (4, 1)


def test_what_is_live_is_exact_up_to_a_bound(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        sessions.start(user, now=NOW)
    assert overview(now=NOW).live.amount == "3"
    cache.clear()
    monkeypatch.setattr("tokens.operations.tally.WINDOW", 2)
    assert overview(now=NOW).live.amount.startswith("at least ")


def test_finished_days_are_counted_once_and_today_again_after_a_minute(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions.start(user, now=NOW)
    sessions.start(user, now=NOW - DAY)
    all_days = costs(lambda: overview(now=NOW))
    assert costs(lambda: overview(now=NOW)) == 2  # for the signing key and the last pruning
    later = datetime.now(UTC).timestamp() + page.TODAY_TIMEOUT + 1
    monkeypatch.setattr("django.core.cache.backends.locmem.time.time", lambda: later)
    sessions.start(user, now=NOW)
    sessions.start(user, now=NOW - DAY)
    finished = page.DAYS - 1
    assert costs(lambda: overview(now=NOW)) == all_days - 2 * finished
    cache.delete(f"tokens.overview.UTC.{NOW:%Y-%m-%d}")
    assert [day.sign_ins for day in overview(now=NOW).days[-2:]] == [1, 2]


def test_the_page_goes_without_a_cache_that_does_not_answer(
    user: Any, monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    class Silent:
        def get_many(self, names: list[str]) -> None:
            raise ConnectionError

        def set(self, name: str, value: Any, seconds: int) -> None:
            raise ConnectionError

    monkeypatch.setattr(page, "cache", Silent())
    sessions.start(user)
    assert "live now" in admin_client.get(INDEX).content.decode()


def test_it_costs_the_same_with_many_sessions(user: Any) -> None:
    few = costs(lambda: overview(now=NOW))
    for minute in range(40):
        sessions.start(user, now=NOW - timedelta(minutes=minute))
    cache.clear()
    assert costs(lambda: overview(now=NOW)) == few <= 2 * page.DAYS + 16


def test_an_old_key_is_pointed_at(db: None, settings: Any) -> None:
    SigningKey.objects.filter(state="signing").update(signs_since=NOW - 30 * DAY)
    assert not overview(now=NOW).key_is_old
    settings.TOKENS_KEY_MAX_AGE = 29 * DAY
    assert overview(now=NOW).key_is_old
    SigningKey.objects.all().delete()
    assert overview(now=NOW).signing_since is None


def test_when_pruning_last_ran_is_told_and_an_overdue_one_pointed_at(
    user: Any, admin_client: Client
) -> None:
    assert overview(now=NOW).pruned_at is None
    assert "never pruned" in admin_client.get(INDEX).content.decode()
    ended = NOW - 200 * DAY
    sessions.end([sessions.start(user, now=ended).session], reason=EndReason.LOGOUT, now=ended)
    cache.clear()
    assert overview(now=NOW).pruning_is_overdue
    pruning.prune(now=NOW)
    cache.clear()
    pruned = overview(now=NOW)
    assert not pruned.pruning_is_overdue
    assert pruned.pruned_at is not None
    assert pruned.pruned_at - NOW < timedelta(minutes=1)


def test_the_chart_is_drawn_in_proportion_with_what_each_bar_says(user: Any) -> None:
    for ago, times in ((0, 4), (1, 2)):
        for _ in range(times):
            sessions.start(user, now=NOW - ago * DAY)
    bars = {bar.title: bar for bar in overview(now=NOW).bars}
    assert len(bars) == 28
    today, yesterday = bars["2030-01-20: 4 sign-ins"], bars["2030-01-19: 2 sign-ins"]
    assert (today.y, today.height) == (0, 100)
    assert (yesterday.y, yesterday.height) == (50, 50)
    assert bars["2030-01-07: 0 revocations"].height == 0
    assert today.x - yesterday.x == page.DAY_WIDTH


def test_the_first_page_shows_it_to_who_may_view_sessions(supporter: Client, user: Any) -> None:
    pair = sessions.start(user)
    rotate_twice(pair)
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(pair.raw_refresh)
    content = supporter.get(INDEX).content.decode()
    assert "live now" in content
    assert "<svg" in content
    assert "style=" not in content.partition("tokens-overview")[2].partition("</section>")[0]
    assert '?reason=reuse">1</a>' in content
    assert statements(lambda: supporter.get(INDEX))
    assert Session.objects.exists()


def test_others_on_the_staff_see_the_first_page_without_it(staff: Client) -> None:
    answer = staff.get(INDEX)
    assert answer.status_code == 200
    assert "tokens-overview" not in answer.content.decode()

"""The admin's first page summarizes recent activity at a cost that does not grow."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.grace import rotate_twice
from tests.tokens.admin.conftest import statements
from tests.tokens.database.test_places import Schemas
from tokens import sessions
from tokens.admin import overview as page
from tokens.admin.overview import Overview
from tokens.database import places
from tokens.errors import RefreshTokenReused
from tokens.models import DailyCount, EndReason, PruneRun, Session, SigningKey
from tokens.operations import pruning

NOW = datetime(2030, 1, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
INDEX = "/admin/"


@pytest.fixture
def boss(django_user_model: Any) -> Any:
    return django_user_model.objects.create_superuser("margaret", "margaret@example.org")


def overview(reader: Any, *, now: datetime = NOW) -> Overview:
    request = RequestFactory().get(INDEX)
    request.user = reader
    return page.overview(request, admin.site, now=now)


def costs(call: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    return len(captured)


def figures(shown: Overview) -> dict[str, str]:
    return {figure.name: figure.text for figure in shown.figures}


def notices(shown: Overview) -> str:
    return " ".join(notice.text for notice in shown.notices)


def test_days_are_shown_from_fourteen_days_ago_to_today(boss: Any) -> None:
    for ago, number in ((0, 5), (1, 3), (13, 2), (14, 7)):
        DailyCount.objects.create(day=(NOW - ago * DAY).date(), sign_ins=number)
    shown = overview(boss)
    assert (shown.days[0], shown.days[-1]) == (date(2030, 1, 7), date(2030, 1, 20))
    sign_ins = shown.charts[0]
    assert list(sign_ins.numbers) == [2, *[0] * 11, 3, 5]
    assert sign_ins.total == "10"
    assert shown.rows[0] == (date(2030, 1, 20), ["5", "0", "0", "0", "0", "0"])
    assert len(shown.rows) == 14


def test_the_last_day_is_today_in_the_sites_own_zone(boss: Any, settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"  # 13 hours ahead in January
    with timezone.override("America/New_York"):  # the viewer's time zone
        assert overview(boss).days[-1] == date(2030, 1, 21)


def test_what_is_live_is_exact_up_to_a_bound(
    boss: Any, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        sessions.start(user, now=NOW)
    assert figures(overview(boss))["Live sessions"] == "3"
    cache.clear()
    monkeypatch.setattr("tokens.operations.tally.WINDOW", 2)
    assert figures(overview(boss))["Live sessions"].startswith("at least ")


def test_what_is_counted_is_cached_for_a_minute(
    boss: Any, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions.start(user, now=NOW)
    overview(boss)
    sessions.start(user, now=NOW)
    assert figures(overview(boss))["Live sessions"] == "1"
    later = datetime.now(UTC).timestamp() + page.TIMEOUT + 1
    monkeypatch.setattr("django.core.cache.backends.locmem.time.time", lambda: later)
    assert figures(overview(boss))["Live sessions"] == "2"


def test_the_page_goes_without_a_cache_that_does_not_answer(
    user: Any, monkeypatch: pytest.MonkeyPatch, admin_client: Client
) -> None:
    class Silent:
        def get(self, name: str) -> None:
            raise ConnectionError

        def set(self, name: str, value: Any, seconds: int) -> None:
            raise ConnectionError

    monkeypatch.setattr(page, "cache", Silent())
    sessions.start(user)
    assert "Live sessions" in admin_client.get(INDEX).content.decode()


def test_it_costs_the_same_with_many_sessions(boss: Any, user: Any) -> None:
    overview(boss)  # The first also pays for what Django caches per process.
    cache.clear()
    few = costs(lambda: overview(boss))
    for minute in range(40):
        sessions.start(user, now=NOW - timedelta(minutes=minute))
    cache.clear()
    assert costs(lambda: overview(boss)) == few <= 24


def test_an_old_key_is_pointed_at(boss: Any, settings: Any) -> None:
    SigningKey.objects.filter(state="signing").update(signs_since=NOW - 30 * DAY)
    assert "signing key" not in notices(overview(boss))
    settings.TOKENS_KEY_MAX_AGE = 29 * DAY
    (notice,) = overview(boss).notices
    assert "The signing key has signed for" in notice.text
    assert notice.address == "/admin/tokens/signingkey/rotate/"


def test_who_may_not_rotate_is_led_to_the_list_of_keys(
    grace: Any, permit: Any, settings: Any
) -> None:
    permit("tokens.view_signingkey")
    SigningKey.objects.filter(state="signing").update(signs_since=NOW - 30 * DAY)
    settings.TOKENS_KEY_MAX_AGE = 29 * DAY
    (notice,) = overview(grace).notices
    assert notice.address == "/admin/tokens/signingkey/"


def test_a_missing_key_is_pointed_at(boss: Any) -> None:
    SigningKey.objects.all().delete()
    shown = overview(boss)
    assert figures(shown)["Age of the signing key"] == "no signing key"
    assert "no user can sign in" in notices(shown)


def test_when_pruning_last_ran_is_told_and_an_overdue_one_pointed_at(boss: Any, user: Any) -> None:
    assert figures(overview(boss))["Since the last pruning"] == "never pruned"
    ended = NOW - 200 * DAY
    sessions.end([sessions.start(user, now=ended).session], reason=EndReason.LOGOUT, now=ended)
    cache.clear()
    assert "prune_tokens" in notices(overview(boss))
    pruning.prune(now=NOW)
    cache.clear()
    PruneRun.objects.update(finished_at=NOW)
    shown = overview(boss, now=NOW + timedelta(hours=3))
    assert "prune_tokens" not in notices(shown)
    assert figures(shown)["Since the last pruning"].replace("\xa0", " ") == "3 hours"
    PruneRun.objects.update(finished_at=None)  # It was killed.
    assert "never" not in figures(overview(boss))["Since the last pruning"]


def test_incidents_of_the_last_week_are_pointed_at(
    boss: Any, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in (1, 2, 8):
        at = NOW - days * DAY
        sessions.end([sessions.start(user, now=at).session], reason=EndReason.REUSE, now=at)
    notice = overview(boss).notices[0]
    assert notice.text.startswith("2 sessions ended in the last 7 days")
    assert notice.address == "/admin/tokens/session/?reason=reuse"
    monkeypatch.setattr(page, "MOST_INCIDENTS", 1)
    assert notices(overview(boss)).startswith("At least 1 session ended")


@pytest.mark.parametrize(
    ("usual", "today", "is_pointed_at"),
    [(0, 99, False), (0, 100, True), (40, 120, False), (40, 121, True), (400, 900, False)],
)
def test_far_more_failed_sign_ins_than_usual_are_pointed_at(
    boss: Any, usual: int, today: int, is_pointed_at: bool
) -> None:
    for ago in range(14):
        number = usual if ago else today
        DailyCount.objects.create(day=(NOW - ago * DAY).date(), failed_sign_ins=number)
    found = notices(overview(boss))
    assert (f"{today} sign-ins failed today" in found) == is_pointed_at


def test_the_chart_is_drawn_in_proportion_with_what_each_bar_says(boss: Any) -> None:
    for ago, number in ((0, 4000), (1, 2000), (2, 1)):
        DailyCount.objects.create(day=(NOW - ago * DAY).date(), refreshes=number)
    chart = next(chart for chart in overview(boss).charts if chart.name == "refreshes")
    bars = {bar.title: bar for bar in chart.bars}
    assert len(bars) == 14
    today, yesterday = bars["20 Jan: 4,000"], bars["19 Jan: 2,000"]
    assert today.height == 2 * yesterday.height == chart.base - chart.top
    assert today.y + today.height == yesterday.y + yesterday.height == chart.base
    assert bars["18 Jan: 1"].height == 2
    assert bars["7 Jan: 0"].height == 0
    assert all(0 <= bar.x <= chart.width - chart.bar_width for bar in chart.bars)
    assert [bar.label for bar in chart.bars if bar.label] == ["8 Jan", "12 Jan", "16 Jan", "20 Jan"]
    assert chart.summary == "Refreshes: 6,001 in 14 days, at most 4,000 a day, on 20 Jan"


def test_a_chart_without_numbers_says_so(boss: Any) -> None:
    assert overview(boss).charts[0].summary == "Sign-ins: none in 14 days"


def test_the_first_page_shows_it_to_staff_who_may_view_sessions(
    supporter: Client, user: Any
) -> None:
    pair = sessions.start(user)
    rotate_twice(pair)
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(pair.raw_refresh)
    content = supporter.get(INDEX).content.decode()
    assert "Live sessions" in content
    assert "<svg" in content
    assert "style=" not in content.partition("tokens-overview")[2].partition("</section>")[0]
    assert "1 session ended in the last 7 days" in content
    assert '?reason=reuse">Show the incidents</a>' in content
    assert statements(lambda: supporter.get(INDEX))
    assert Session.objects.exists()


def test_support_is_shown_neither_keys_nor_pruning(supporter: Client, grace: Any) -> None:
    content = supporter.get(INDEX).content.decode()
    assert "Live sessions" in content
    assert "signing key" not in content
    assert "pruning" not in content


def test_who_may_view_keys_only_is_shown_no_sessions(staff: Client, permit: Any, user: Any) -> None:
    permit("tokens.view_signingkey", "tokens.view_prunerun")
    content = staff.get(INDEX).content.decode()
    assert "Age of the signing key" in content
    assert "Since the last pruning" in content
    for hidden in ("Live sessions", "tokens-chart", "Find a user", "Failed sign-ins"):
        assert hidden not in content


def test_others_on_the_staff_see_the_first_page_without_it(staff: Client) -> None:
    answer = staff.get(INDEX)
    assert answer.status_code == 200
    assert "tokens-overview" not in answer.content.decode()


def test_the_field_on_the_first_page_finds_a_user(supporter: Client, user: Any) -> None:
    pair = sessions.start(user)
    page_with_field = supporter.get(INDEX).content.decode()
    assert 'action="/admin/tokens/session/find/"' in page_with_field
    answer = supporter.post("/admin/tokens/session/find/", {"q": "ad"}, follow=True)
    assert [row.pk for row in answer.context["cl"].result_list] == [pair.session.pk]


def test_a_tenant_is_not_shown_the_numbers_of_another_one(
    boss: Any, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All tenants share a cache."""
    monkeypatch.setattr(places, "_plain", {})
    monkeypatch.setattr(places, "_known", {})
    schemas = Schemas(monkeypatch)
    schemas.set_schema("one")
    assert figures(overview(boss))["Live sessions"] == "0"
    sessions.start(user, now=NOW)
    assert figures(overview(boss))["Live sessions"] == "0"  # cached
    schemas.set_schema("two")
    assert figures(overview(boss))["Live sessions"] == "1"

"""The networks from which anybody has signed in are kept in the database, with few writes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tokens import clock
from tokens.limits import counts, good_networks
from tokens.models import Session, ThrottleCount

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _limited(settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "10/min"


def used(address: str | None, *, now: datetime, monkeypatch: pytest.MonkeyPatch) -> int:
    """Use a session from this address; return how many rows that wrote."""
    monkeypatch.setattr(clock, "now", lambda: now)
    with CaptureQueriesContext(connection) as captured:
        good_networks.after_use(Session, Session(refreshed_ip_address=address))
    return sum("INSERT" in query["sql"] for query in captured.captured_queries)


def test_a_network_is_written_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [NOW, NOW + good_networks.BEHIND, NOW + good_networks.BEHIND + timedelta(seconds=1)]
    assert [used("192.0.2.1", now=now, monkeypatch=monkeypatch) for now in moments] == [1, 0, 1]
    caller = good_networks.caller_of("192.0.2.1")
    until = moments[-1] + good_networks.KNOWN_FOR
    row = counts.read([caller]).get(caller)
    longest = good_networks.KNOWN_FOR
    assert counts.stands(row, now=until - timedelta(seconds=1), longest=longest)
    assert not counts.stands(row, now=until, longest=longest)


def test_a_client_without_a_known_address_makes_no_network_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert used(None, now=NOW, monkeypatch=monkeypatch) == 0


def test_where_no_address_is_limited_no_network_is_written(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOKENS_LOGIN_THROTTLE = ""
    assert used("192.0.2.1", now=NOW, monkeypatch=monkeypatch) == 0


def test_a_process_remembers_a_bounded_number_of_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(good_networks, "MOST_REMEMBERED", 3)
    for number in range(10):
        assert used(f"192.0.2.{number}", now=NOW, monkeypatch=monkeypatch) == 1
        assert len(good_networks._written.of(ThrottleCount)) <= 3

"""Limits: a rate that drains evenly, counted in the database, by the address that is trusted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIRequestFactory

from tokens.client import MAX_USER_AGENT_LENGTH, client_of
from tokens.errors import TooManyAttempts
from tokens.limits import counts, passwords
from tokens.limits.counts import Charge, Rate, parse_rate
from tokens.models import ThrottleCount

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TEN = Rate(10, 60)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def passes(*callers: str, rate: Rate = TEN, now: datetime = NOW) -> bool:
    charges = [Charge(caller, rate) for caller in callers]
    waits = counts.waits(charges, now=now)
    try:
        counts.take(charges, now=now)
    except TooManyAttempts:
        assert waits, "a refused charge was not reported as full"
        return False
    assert not waits
    return True


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("", None),
        ("10/min", Rate(10, 60)),
        ("1/sec", Rate(1, 1)),
        ("5/hour", Rate(5, 3600)),
        ("100/day", Rate(100, 86400)),
    ],
)
def test_rates_that_make_sense(text: str, rate: Rate | None) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["10", "0/min", "-1/min", "10/week", "ten/min", "10/min/min"])
def test_rates_that_make_none(text: str) -> None:
    with pytest.raises(ValueError, match="such as 10/min"):
        parse_rate(text)


@pytest.mark.django_db
@pytest.mark.parametrize("rate", [TEN, Rate(7, 60), Rate(1, 1), Rate(999_999, 1), Rate(3, 86400)])
def test_exactly_the_limit_passes_at_once(rate: Rate) -> None:
    many = min(rate.limit, 12)
    if many < rate.limit:
        ThrottleCount.objects.create(
            caller="a",
            clear_at=int(NOW.timestamp() * 1e6) + (rate.limit - many) * Charge("a", rate).cost,
        )
    assert [passes("a", rate=rate) for _ in range(many + 2)] == [True] * many + [False] * 2


@pytest.mark.django_db
def test_what_counts_drains_evenly_and_refusals_prolong_nothing() -> None:
    assert all(passes("a") for _ in range(10))
    assert counts.waits([Charge("a", TEN)], now=NOW) == {"a": seconds(6)}
    assert counts.waits([Charge("a", TEN)], now=NOW + seconds(4)) == {"a": seconds(2)}
    assert not any(passes("a", now=NOW + seconds(second)) for second in (0, 1, 5, 5.999))
    assert [passes("a", now=NOW + seconds(6)) for _ in range(2)] == [True, False]
    assert [passes("a", now=NOW + seconds(600)) for _ in range(11)] == [True] * 10 + [False]


@pytest.mark.django_db
def test_a_charge_against_several_is_taken_by_all_or_none() -> None:
    assert all(passes("a", "b") for _ in range(5))
    assert all(passes("b") for _ in range(5))
    before = ThrottleCount.objects.get(caller="a").clear_at
    with pytest.raises(TooManyAttempts) as refused:
        counts.take([Charge("a", TEN), Charge("b", TEN)], now=NOW)
    assert refused.value.wait == seconds(6)
    assert ThrottleCount.objects.get(caller="a").clear_at == before
    assert all(passes("a") for _ in range(5))


@pytest.mark.django_db
def test_who_was_outrun_is_told_when_the_one_that_is_full_has_room_again() -> None:
    assert all(passes("a") for _ in range(10))
    with pytest.raises(TooManyAttempts) as refused:
        counts.take([Charge("a", TEN), Charge("b", Rate(100, 86400))], now=NOW)
    assert refused.value.wait == seconds(6)


@pytest.mark.django_db
def test_what_is_given_back_can_be_taken_again() -> None:
    charges = [Charge("a", TEN, share_if_right=0.1), Charge("b", TEN)]
    for _ in range(90):
        counts.take(charges, now=NOW)
        counts.give_back(charges)
    assert [passes("a") for _ in range(2)] == [True, False]
    assert [passes("b") for _ in range(11)] == [True] * 10 + [False]


@pytest.mark.django_db
@pytest.mark.parametrize(("set_back", "let_in"), [(59, False), (61, True), (3600, True)])
def test_a_clock_that_was_set_back_locks_no_user_out(set_back: int, let_in: bool) -> None:
    """A small step back may be another host's clock, so it forgives nothing."""
    assert all(passes("a") for _ in range(10))
    assert passes("a", now=NOW - seconds(set_back)) is let_in


def test_without_a_charge_there_is_no_wait() -> None:
    """And no query asks for it."""
    assert counts.waits([], now=NOW) == {}


@pytest.mark.django_db
def test_a_refusal_writes_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    assert all(passes("a") for _ in range(10))
    with django_assert_num_queries(1):
        assert counts.waits([Charge("a", TEN)], now=NOW)


@pytest.mark.django_db(transaction=True)
def test_parallel_attempts_lose_no_count() -> None:
    def count(_: int) -> list[bool]:
        try:
            return [passes_quietly("a", "b") for _ in range(25)]
        finally:
            connection.close()

    def passes_quietly(*callers: str) -> bool:
        try:
            counts.take([Charge(caller, Rate(60, 3600)) for caller in callers], now=NOW)
        except TooManyAttempts:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        passed = [one for many in pool.map(count, range(4)) for one in many]
    assert (len(passed), passed.count(True)) == (100, 60)
    hour = int((NOW + timedelta(hours=1)).timestamp() * 1e6)
    assert set(ThrottleCount.objects.values_list("clear_at", flat=True)) == {hour}


@pytest.mark.django_db
def test_rows_die_and_are_pruned_and_live_ones_stay() -> None:
    for number in range(5):
        assert passes(f"old {number}")
    assert passes("new", now=NOW + seconds(3))
    assert counts.prune(now=NOW + seconds(5.9), limit=9) == 0
    assert counts.prune(now=NOW + seconds(6), limit=2) == 2
    assert counts.prunable(now=NOW + seconds(6)).count() == 3
    assert counts.prune(now=NOW + seconds(6), limit=9) == 3
    assert [row.caller for row in ThrottleCount.objects.all()] == ["new"]
    assert str(ThrottleCount.objects.get()) == "new"


def test_a_client_without_an_address_or_with_an_odd_name_is_a_client() -> None:
    agent = "a\x00b\n" + "x" * 1000
    client = client_of(APIRequestFactory().get("/", REMOTE_ADDR="", HTTP_USER_AGENT=agent))
    assert client.ip_address is None
    assert client.user_agent.startswith("abx")
    assert len(client.user_agent) == MAX_USER_AGENT_LENGTH


@pytest.mark.django_db
def test_no_key_of_a_user_is_too_long_for_the_table(settings: Any) -> None:
    settings.TOKENS_ACCOUNT_THROTTLE = "10/min"
    passwords.take(SimpleNamespace(pk="x" * 255))
    longest: Any = ThrottleCount._meta.get_field("caller").max_length
    assert len(ThrottleCount.objects.get().caller) <= longest

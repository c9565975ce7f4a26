"""Whoever rents a whole network has no more attempts than a few callers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import ResolverMatch

from tokens.errors import TooManyAttempts
from tokens.limits import admission, counts
from tokens.limits.networks import network_of, wider_networks
from tokens.models import ThrottleCount

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, None),
    ],
)
def test_a_network_of_ipv6_counts_as_one_caller(address: str | None, network: str | None) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("address", "networks"),
    [
        ("192.0.2.1", ["192.0.2.0/24"]),
        ("::ffff:192.0.2.1", ["192.0.2.0/24"]),
        ("2001:db8:0:1ff::1", ["2001:db8:0:100::/56", "2001:db8::/48"]),
        (None, []),
    ],
)
def test_the_wider_networks_of_an_address(address: str | None, networks: list[str]) -> None:
    assert list(wider_networks(address)) == networks


def guesses(addresses: Any, *, seconds: float, app_name: str = "") -> int:
    """Try one wrong password from each address, evenly in this time; return how many were checked."""
    checked = 0
    for number, address in enumerate(addresses):
        now = NOW + timedelta(seconds=seconds * number / len(addresses))
        request = RequestFactory().post("/", REMOTE_ADDR=address)
        request.resolver_match = ResolverMatch(guesses, (), {}, app_names=[app_name])
        try:
            attempt = admission.look(request, f"user-{number}", now=now)
        except TooManyAttempts:
            continue
        attempt.take()
        attempt.failed()
        checked += 1
    return checked


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("app_name", ["", "admin"])
@pytest.mark.parametrize(
    ("addresses", "at_most"),
    [
        ([f"2001:db8:0:{number % 65536:x}::1" for number in range(2000)], 100),
        ([f"2001:db8:0:1{number % 256:02x}::1" for number in range(1000)], 60),
        ([f"2001:db8::{number:x}" for number in range(500)], 20),
        ([f"192.0.2.{number % 256}" for number in range(1000)], 100),
    ],
    ids=["/48", "/56", "/64", "/24"],
)
def test_spraying_from_one_network_is_slowed(
    settings: Any, addresses: list[str], at_most: int, app_name: str
) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "10/min"
    checked = guesses(addresses, seconds=60, app_name=app_name)
    assert at_most / 2 <= checked <= at_most


@pytest.mark.django_db
def test_the_wrong_passwords_of_the_whole_site_have_a_limit(settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE, settings.TOKENS_SITE_THROTTLE = "10/min", "50/min"
    assert guesses([f"10.{number}.0.1" for number in range(200)], seconds=0.1) == 50


@pytest.mark.django_db
@pytest.mark.parametrize("rate", ["10/min", "10/day"])
def test_the_table_of_counts_is_bounded_against_strangers(
    settings: Any, monkeypatch: pytest.MonkeyPatch, rate: str
) -> None:
    settings.TOKENS_LOGIN_THROTTLE = rate
    monkeypatch.setattr(counts, "MOST_COUNTS", 400)
    monkeypatch.setattr(admission, "TRIM_EVERY", 10)
    assert guesses([f"10.{n % 256}.{n // 256}.1" for n in range(600)], seconds=1) == 600
    assert ThrottleCount.objects.count() <= 400 + 3 * 10


@pytest.mark.django_db
def test_what_is_nearly_empty_is_deleted_first_and_a_known_network_last(settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "10/day"
    full = counts.Charge("full", counts.Rate(10, 86400))
    for _ in range(10):
        counts.take([full], now=NOW)
    counts.keep_until(
        "good 192.0.2.1", NOW + timedelta(days=30), now=NOW, longest=timedelta(days=30)
    )
    guesses([f"10.{number}.0.1" for number in range(20)], seconds=1)
    assert counts.trim(now=NOW, most=1) == 61
    assert set(ThrottleCount.objects.values_list("caller", flat=True)) == {"full", "good 192.0.2.1"}
    assert counts.trim(now=NOW, most=1) == 0


@pytest.mark.django_db
def test_a_table_that_is_too_long_loses_the_emptiest_counts_first() -> None:
    for attempts in (3, 1, 2):
        for _ in range(attempts):
            counts.take([counts.Charge(f"{attempts} attempts", counts.Rate(10, 60))], now=NOW)
    assert counts.trim(now=NOW, most=1, limit=1) == 1
    left = ThrottleCount.objects.values_list("caller", flat=True)
    assert set(left) == {"2 attempts", "3 attempts"}

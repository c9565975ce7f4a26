"""The limit on sign-ins: counted in the database, by the address that can be believed."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient, APIRequestFactory

from tokens import throttling
from tokens.http import MAX_USER_AGENT_LENGTH, client_of, ip_address_of
from tokens.models import ThrottleCount
from tokens.throttling import Rate, parse_rate

BODY = {"username": "ada", "password": "wrong"}


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
def test_one_more_than_the_limit_is_told_when_to_come_back(
    api: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttling.time, "time", lambda: 1_000_020.0)
    settings.TOKENS_LOGIN_THROTTLE = "3/min"
    assert [api.post("/api/token/", BODY).status_code for _ in range(3)] == [401] * 3
    answer = api.post("/api/token/", BODY)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "60"
    assert api.post("/api/token/", BODY, REMOTE_ADDR="192.0.2.9").status_code == 401
    monkeypatch.setattr(throttling.time, "time", lambda: 1_000_080.0)
    assert api.post("/api/token/", BODY).status_code == 401


@pytest.mark.django_db
def test_the_next_window_begins_at_one(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(3):
        assert throttling.count_up("a", window_start=0) == 1
        assert throttling.count_up("a", window_start=0) == 2
        assert throttling.count_up("a", window_start=60) == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_sign_ins_lose_no_count() -> None:
    def count(_: int) -> list[int]:
        try:
            return [throttling.count_up("a", window_start=0) for _ in range(25)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        seen = [number for numbers in pool.map(count, range(4)) for number in numbers]
    assert sorted(seen) == list(range(1, 101))
    assert ThrottleCount.objects.get().count == 100


@pytest.mark.django_db
def test_a_network_of_ipv6_counts_as_one_caller(api: APIClient, settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "100/min"
    for address in ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"):
        api.post("/api/token/", BODY, REMOTE_ADDR=address)
    counts = dict(ThrottleCount.objects.values_list("caller", "count"))
    assert counts == {"login 2001:db8::/64": 2, "login 2001:db8:0:1::/64": 1}


@pytest.mark.parametrize(
    ("proxies", "forwarded", "believed"),
    [
        (0, "203.0.113.5", "192.0.2.1"),
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        (2, "6.6.6.6, 203.0.113.5, 10.0.0.1", "203.0.113.5"),
        (2, "203.0.113.5", "203.0.113.5"),
        (1, "garbage", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_the_header_is_believed_as_far_as_our_own_proxies_wrote_it(
    settings: Any, proxies: int, forwarded: str, believed: str
) -> None:
    settings.TOKENS_TRUSTED_PROXIES = proxies
    request = APIRequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert ip_address_of(request) == believed


def test_a_client_without_an_address_or_with_an_odd_name_is_a_client() -> None:
    agent = "a\x00b\n" + "x" * 1000
    client = client_of(APIRequestFactory().get("/", REMOTE_ADDR="", HTTP_USER_AGENT=agent))
    assert client.ip_address is None
    assert client.user_agent.startswith("abx")
    assert len(client.user_agent) == MAX_USER_AGENT_LENGTH

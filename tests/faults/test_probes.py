"""
No answer to a wrong password tells whether an account exists or where its owner has been.

By a statistical test over 600 probes, or as many as the variable PROBES says, with a cheap hash, so
that a difference of some ten microseconds would not be hidden by the time that the hash takes. 2,000
probes take three minutes, and find a difference half as large.
"""

import os
import random
import time
from collections.abc import Iterator, Sequence
from itertools import combinations
from math import sqrt
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tokens import clock, sessions
from tokens.limits import good_networks
from tokens.limits.networks import network_of

pytestmark = [pytest.mark.services, pytest.mark.django_db]

PROBES = int(os.environ.get("PROBES", "600"))
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
KINDS = ("known here", "known elsewhere", "unknown")
# Standard errors. By chance, one of the six comparisons exceeds it in one of 10,000 runs.
ALLOWED = 4.3


def tries(name: str, address: str) -> Any:
    body = {"username": name, "password": "wrong"}
    return APIClient().post("/api/token/", body, REMOTE_ADDR=address)


@pytest.fixture
def accounts(settings: Any) -> dict[str, list[str]]:
    """Create accounts whose owners have signed in from here or elsewhere, and names without one."""
    settings.TOKENS_LOGIN_THROTTLE, settings.TOKENS_ACCOUNT_THROTTLE = "1000000/day", "1/day"
    settings.TOKENS_SITE_THROTTLE = ""
    number = PROBES // len(KINDS)
    found = {kind: [f"{kind[:9]}{kind[-4:]}-{n}" for n in range(number)] for kind in KINDS}
    users = get_user_model().objects
    encoded = make_password(PASSWORD)
    for kind, address in (("known here", HERE), ("known elsewhere", ELSEWHERE)):
        made: Any = users.bulk_create(
            users.model(
                username=name, email=f"{name}@example.org".replace(" ", ""), password=encoded
            )
            for name in found[kind]
        )
        for user in made:
            sessions.start(user, client=sessions.Client(address))
        network = network_of(address)
        assert network
        good_networks.mark(network, now=clock.now())
    return found


@pytest.fixture
def in_any_order(accounts: dict[str, list[str]]) -> list[tuple[str, str]]:
    probes = [(kind, name) for kind, names in accounts.items() for name in names]
    random.shuffle(probes)
    return probes


def times_and_answers(probes: list[tuple[str, str]]) -> tuple[dict[str, list[float]], set[Any]]:
    for _ in range(50):
        tries("warm-up", "203.0.113.1")
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    answers = set()
    for kind, name in probes:
        began = time.perf_counter()
        answer = tries(name, HERE)
        times[kind].append(time.perf_counter() - began)
        detail = answer.json()["detail"].partition("Expected")[0]
        answers.add((answer.status_code, detail, answer.has_header("Retry-After")))
    return times, answers


def deviations(times: dict[str, list[float]]) -> Iterator[tuple[str, str, float]]:
    """Compare each two kinds by the Mann-Whitney test; yield the deviation in standard errors."""
    for one, other in combinations(KINDS, 2):
        yield one, other, mann_whitney(times[one], times[other])


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> float:
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(rank for rank, (_, which) in enumerate(ranked, 1) if which == 0)
    first, second = len(one), len(other)
    mean = first * (first + second + 1) / 2
    return (ranks - mean) / sqrt(first * second * (first + second + 1) / 12)


def assert_alike(times: dict[str, list[float]]) -> None:
    for one, other, deviation in deviations(times):
        print(f"{one} and {other}: {deviation:+.1f} standard errors")  # noqa: T201
        assert abs(deviation) < ALLOWED, (one, other)


def test_a_difference_would_be_found() -> None:
    draw = random.Random(1)
    times = [draw.gauss(5.0, 1.0) for _ in range(667)]
    assert abs(mann_whitney(times, [draw.gauss(5.0, 1.0) for _ in range(667)])) < ALLOWED
    assert abs(mann_whitney(times, [draw.gauss(5.4, 1.0) for _ in range(667)])) > ALLOWED


def test_within_the_limits(in_any_order: list[tuple[str, str]]) -> None:
    times, answers = times_and_answers(in_any_order)
    assert answers == {(401, "No active account found with the given credentials", False)}
    assert_alike(times)


def test_over_the_limit_of_each_account(in_any_order: list[tuple[str, str]]) -> None:
    for number, (_, name) in enumerate(in_any_order):
        assert tries(name, f"10.{number // 250}.{number % 250}.1").status_code == 401
    times, answers = times_and_answers(in_any_order)
    assert {status for status, *_ in answers} == {429}
    assert len(answers) == 1
    assert_alike(times)

"""Behind a proxy, each client has a limit of its own, whatever the proxy writes."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _three_an_hour(settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "3/hour"


@pytest.mark.parametrize("forwarded", ["203.0.113.7:{port}", "[2001:db8::7]:{port}"])
def test_a_client_is_one_caller_from_any_port(user: Any, settings: Any, forwarded: str) -> None:
    settings.TOKENS_TRUSTED_PROXIES = 1
    statuses = [
        APIClient(HTTP_X_FORWARDED_FOR=forwarded.format(port=50_000 + number))
        .post("/api/token/", {"username": f"user-{number}", "password": "wrong"})
        .status_code
        for number in range(6)
    ]
    assert statuses == [401] * 3 + [429] * 3
    other = APIClient(HTTP_X_FORWARDED_FOR="198.51.100.1:50000")
    body = {"username": "ada", "password": PASSWORD}
    assert other.post("/api/token/", body).status_code == 200


@pytest.mark.parametrize("forwarded", ["unknown", "", "_hidden"])
def test_clients_without_a_known_address_do_not_share_a_limit(
    user: Any, settings: Any, forwarded: str
) -> None:
    """Otherwise three wrong passwords would keep all of them from signing in."""
    settings.TOKENS_TRUSTED_PROXIES = 1
    client = APIClient(HTTP_X_FORWARDED_FOR=forwarded)
    for number in range(6):
        body = {"username": f"user-{number}", "password": "wrong"}
        assert client.post("/api/token/", body).status_code == 401
    body = {"username": "ada", "password": PASSWORD}
    assert client.post("/api/token/", body).status_code == 200
    # The account's own limit still slows down who guesses at one account.
    wrong = {"username": "bob", "password": "wrong"}
    assert [client.post("/api/token/", wrong).status_code for _ in range(4)] == [401] * 3 + [429]

"""Requests with tokens have their own limits, which cost no query and need no server."""

from collections.abc import Iterator
from random import randrange
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tokens import sessions
from tokens.api import throttles
from tokens.conf import Settings
from tokens.limits import counts
from tokens.models import ThrottleCount

LIMITED = [
    ("TOKENS_REFRESH_THROTTLE", "/api/token/refresh/", {"refresh": "garbage"}, 401),
    ("TOKENS_VERIFY_THROTTLE", "/api/token/verify/", {"token": "garbage"}, 401),
    ("TOKENS_REVOKE_THROTTLE", "/api/token/revoke/", {"token": "garbage"}, 200),
    ("TOKENS_REVOKE_THROTTLE", "/api/token/blacklist/", {"refresh": "garbage"}, 401),
    ("TOKENS_REVOKE_THROTTLE", "/api/logout/", {"refresh": "garbage"}, 401),
    ("TOKENS_REVOKE_THROTTLE", "/api/logout/all/", {"refresh": "garbage"}, 401),
    ("TOKENS_INTROSPECT_THROTTLE", "/api/token/introspect/", {"token": "garbage"}, 200),
]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _cache_awake() -> Iterator[None]:
    yield
    throttles._cache.asleep_until = 0.0


def fresh_address() -> str:
    """Return an address under which no other test of any process has counted."""
    return f"10.{randrange(256)}.{randrange(256)}.{randrange(256)}"


@pytest.mark.parametrize(("setting", "path", "body", "status"), LIMITED)
def test_one_more_than_the_limit_is_told_when_to_come_back(
    user: Any,
    settings: Any,
    setting: str,
    path: str,
    body: dict[str, str],
    status: int,
) -> None:
    setattr(settings, setting, "3/day")
    client = APIClient(REMOTE_ADDR=fresh_address())
    if "introspect" in path:
        user.user_permissions.add(Permission.objects.get(codename="introspect_token"))
        raw_access = sessions.start(user).raw_access
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {raw_access}")
    assert [client.post(path, body).status_code for _ in range(3)] == [status] * 3
    answer = client.post(path, body)
    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 86400
    assert client.post(path, body, REMOTE_ADDR=fresh_address()).status_code == status
    assert not ThrottleCount.objects.exists()


@pytest.mark.parametrize("setting", sorted({setting for setting, *_ in LIMITED}))
def test_the_default_is_generous_and_there(settings: Any, setting: str) -> None:
    delattr(settings, setting)
    rate = counts.parse_rate(getattr(Settings(), setting))
    assert rate is not None
    assert rate.limit / rate.period >= 10


@pytest.mark.parametrize("error", [ConnectionError("no route"), OSError("timed out")])
def test_a_cache_that_is_down_costs_the_count_and_not_the_refresh(
    user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    settings.TOKENS_REFRESH_THROTTLE = "1/day"
    asked = []

    def fail(*args: Any, **kwargs: Any) -> bool:
        asked.append(args)
        raise error

    monkeypatch.setattr(cache, "add", fail)
    raw_refresh = sessions.start(user).raw_refresh
    for _ in range(3):
        answer = APIClient().post("/api/token/refresh/", {"refresh": raw_refresh})
        assert answer.status_code == 200
    assert len(asked) == 1, "only the first request waits for a cache that does not answer"


def test_a_count_that_runs_out_meanwhile_begins_at_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "add", lambda *args: False)
    assert throttles._cache.count(f"nobody-counts:{fresh_address()}", seconds=60) == 1


def test_whoever_took_over_a_session_cannot_guess_its_password(user: Any, settings: Any) -> None:
    settings.TOKENS_ACCOUNT_THROTTLE = "3/hour"
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {sessions.start(user).raw_access}")
    wrong = {"current_password": "wrong", "new_password": "a rather different sentence"}
    assert [client.post("/api/me/password/", wrong).status_code for _ in range(3)] == [400] * 3
    answer = client.post("/api/me/password/", {**wrong, "current_password": PASSWORD})
    assert answer.status_code == 429
    assert 1100 <= int(answer["Retry-After"]) <= 1200
    assert client.options("/api/me/password/").status_code == 200
    assert client.get("/api/me/").status_code == 200


def test_two_at_once_on_the_last_place_are_one_too_many(
    user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOKENS_ACCOUNT_THROTTLE = "1/hour"
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {sessions.start(user).raw_access}")
    wrong = {"current_password": "wrong", "new_password": "a rather different sentence"}
    assert client.post("/api/me/password/", wrong).status_code == 400
    monkeypatch.setattr(throttles, "waits", lambda *args, **kwargs: {})
    assert client.post("/api/me/password/", wrong).status_code == 429

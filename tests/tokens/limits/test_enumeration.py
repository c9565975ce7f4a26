"""
Unknown user, wrong password, inactive user: no answer or timing distinguishes them.

Time is counted, not measured: the work of the password hashers, and the queries.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate
from django.contrib.auth.hashers import PBKDF2PasswordHasher, get_hasher
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.backends import AccountBackend, _hash_of_nobody
from tests.conftest import PASSWORD
from tokens import clock

FULL = 100  # iterations

work: list[int] = []


class Current(PBKDF2PasswordHasher):
    algorithm = "current"
    iterations = FULL

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        work.append(iterations or self.iterations)
        return super().encode(password, salt, iterations)


class Former(Current):
    algorithm = "former"


PATHS = ["unknown user", "wrong password", "inactive user", "inactive user, wrong password"]
HASHES = ["current", "of fewer iterations", "of a former hasher", "unusable"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _counted(settings: Any, tokens_process: None) -> Iterator[None]:
    settings.PASSWORD_HASHERS = [f"{__name__}.Current", f"{__name__}.Former"]
    settings.TOKENS_LOGIN_THROTTLE = "1000/hour"
    _hash_of_nobody(get_hasher())  # The first attempt of a process makes it, whoever it names.
    work.clear()
    yield
    work.clear()


def prepare(user: Any, path: str, hash: str) -> dict[str, str]:
    """Put the user and the stored hash into this state, and return a sign-in's body."""
    encoded = {
        "current": Current().encode(PASSWORD, "a" * 22),
        "of fewer iterations": Current().encode(PASSWORD, "a" * 22, FULL * 2 // 5),
        "of a former hasher": Former().encode(PASSWORD, "a" * 22),
        "unusable": "!",
    }
    is_active = not path.startswith("inactive")
    type(user).objects.update(password=encoded[hash], is_active=is_active)
    wrong = path.endswith("wrong password") or hash == "unusable"
    return {
        "username": "nobody" if path == "unknown user" else "ada",
        "password": "wrong" if wrong else PASSWORD,
    }


def seen(answer: HttpResponse) -> tuple[Any, ...]:
    headers = dict(answer.items())
    assert headers.pop("X-Request-ID")
    return answer.status_code, answer.content, headers


@pytest.mark.parametrize("hash", HASHES)
def test_by_status_body_and_headers(user: Any, hash: str) -> None:
    answers = []
    for path in PATHS:
        body = prepare(user, path, hash)
        answers.append(seen(APIClient().post("/api/token/", body)))
    assert answers[0][0] == 401
    assert answers == answers[:1] * len(PATHS)


@pytest.mark.parametrize("hash", HASHES)
@pytest.mark.parametrize("door", ["/api/token/", "/admin/login/"])
def test_by_the_work_of_the_hashers_and_the_queries(
    user: Any, monkeypatch: pytest.MonkeyPatch, hash: str, door: str
) -> None:
    now = clock.now()
    # The counts of former attempts are deleted when their time is over.
    monkeypatch.setattr("tokens.clock.now", lambda: now)
    queries = []
    for path in PATHS:
        body = prepare(user, path, hash)
        client = Client(HTTP_ACCEPT="application/json")
        work.clear()
        with CaptureQueriesContext(connection) as captured:
            assert client.post(door, body).status_code in {200, 401}
        assert sum(work) == FULL, (path, work)
        queries.append([query["sql"].split()[0] for query in captured.captured_queries])
    assert queries == queries[:1] * len(PATHS)


@pytest.mark.parametrize("hash", HASHES)
def test_when_throttled_too_and_then_without_any_hash(user: Any, settings: Any, hash: str) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "1/day"
    settings.TOKENS_ACCOUNT_THROTTLE = ""
    APIClient().post("/api/token/", {"username": "somebody", "password": "x"})
    answers = []
    for path in PATHS:
        body = prepare(user, path, hash)
        work.clear()
        status, content, headers = seen(APIClient().post("/api/token/", body))
        # Only the remaining time differs, in seconds.
        assert abs(int(headers.pop("Retry-After")) - 86400) <= 100
        headers.pop("Content-Length", None)
        answers.append((status, content.split(b"available in")[0], headers))
        assert work == []
    assert answers[0][0] == 429
    assert answers == answers[:1] * len(PATHS)


def test_the_right_password_of_an_active_user_gets_the_better_hash(user: Any) -> None:
    body = prepare(user, "active user", "of a former hasher")
    assert APIClient().post("/api/token/", body).status_code == 200
    user.refresh_from_db()
    assert user.password.startswith("current$")


def test_an_inactive_users_hash_stays_as_it_is(user: Any) -> None:
    body = prepare(user, "inactive user", "of a former hasher")
    APIClient().post("/api/token/", body)
    user.refresh_from_db()
    assert user.password.startswith("former$")


def test_asynchronous_code_gets_the_same(user: Any) -> None:
    for path in PATHS:
        body = prepare(user, path, "of a former hasher")
        work.clear()
        assert async_to_sync(aauthenticate)(None, **body) is None
        assert sum(work) == FULL, path


def test_without_a_name_or_a_password_no_user_is_looked_up(user: Any) -> None:
    work.clear()
    assert AccountBackend().authenticate(None, password="x") is None
    assert AccountBackend().authenticate(None, username="ada") is None
    assert work == []

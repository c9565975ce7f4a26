"""A signed-in user's password can be guessed only as often as TOKENS_ACCOUNT_THROTTLE allows."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tokens import sessions
from tokens.limits import counts

pytestmark = pytest.mark.django_db


def test_a_thief_of_a_session_cannot_guess_its_password(user: Any, settings: Any) -> None:
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
    monkeypatch.setattr(counts, "waits", lambda *args, **kwargs: {})
    assert client.post("/api/me/password/", wrong).status_code == 429

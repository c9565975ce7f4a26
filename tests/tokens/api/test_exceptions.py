"""A project's own exception handler sees the codes of djangorestframework-simplejwt."""

from typing import Any

import pytest
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView, exception_handler

from tokens import sessions
from tokens.errors import KeyRingError

SEEN: list[Any] = []


def own_handler(error: Any, context: dict[str, Any]) -> Response | None:
    """Answer with the codes only, in a form of the project's own."""
    SEEN.append(error.get_codes())
    answer = exception_handler(error, context)
    assert answer is not None
    answer.data = {"problem": error.get_codes()}
    return answer


@pytest.fixture(autouse=True)
def _own_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    SEEN.clear()
    monkeypatch.setattr(APIView.settings, "EXCEPTION_HANDLER", own_handler)


def codes(answer: Any, status: int) -> Any:
    assert answer.status_code == status, answer.content
    assert answer.json() == {"problem": SEEN[-1]}
    return SEEN[-1]


@pytest.mark.parametrize("path", ["/api/me/", "/api/sessions/"])
def test_a_refused_token_of_a_request_has_its_code(api: APIClient, db: None, path: str) -> None:
    api.credentials(HTTP_AUTHORIZATION="Bearer bad")
    answer = api.get(path)
    assert answer["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'
    found = codes(answer, 401)
    assert (found["detail"], found["code"]) == ("token_not_valid", "token_not_valid")
    api.credentials(HTTP_AUTHORIZATION="Bearer two words")
    assert codes(api.get(path), 401)["code"] == "bad_authorization_header"


def test_a_refused_user_has_their_code(api: APIClient, user: Any) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {sessions.start(user).raw_access}")
    user.is_active = False
    user.save()
    assert codes(api.get("/api/me/"), 401)["code"] == "user_inactive"


@pytest.mark.parametrize("path", ["token/refresh", "token/verify", "token/blacklist"])
def test_a_refused_token_in_a_body_has_its_code(api: APIClient, db: None, path: str) -> None:
    answer = api.post(f"/api/{path}/", {"refresh": "bad", "token": "bad"})
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert codes(answer, 401)["code"] == "token_not_valid"


def test_other_refusals_have_their_codes_too(
    api: APIClient, user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "1/hour"
    wrong = {"username": "ada", "password": "wrong"}
    assert codes(api.post("/api/token/", wrong), 401)["code"] == "no_active_account"
    assert codes(api.post("/api/token/", wrong), 429) == "throttled"
    assert codes(api.post("/api/token/refresh/", {}), 400) == {"refresh": ["required"]}
    assert codes(api.post("/api/logout/"), 401)["detail"] == "not_authenticated"

    def fail(*args: Any, **kwargs: Any) -> None:
        raise KeyRingError("The key ring is empty.")

    monkeypatch.setattr(sessions, "verify", fail)
    assert codes(api.post("/api/token/verify/", {"token": "x"}), 503) == "unavailable"


def test_the_sign_in_page_says_why_with_every_handler_of_the_project(
    api: APIClient, user: Any
) -> None:
    answer = api.post("/api/login/", {"username": "ada", "password": "wrong"}, format="multipart")
    assert answer.status_code == 401
    assert "No active account found" in answer.content.decode()

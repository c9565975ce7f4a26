"""djoser and dj-rest-auth, whose views import the names."""

from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tokens.models import EndReason, Session

NEW = "a rather different sentence"
BODY = {"username": "alan", "email": "alan@example.org"}
CREDENTIALS = {"username": "alan", "password": PASSWORD}

pytestmark = pytest.mark.django_db


def bearer(access: str) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {access}")


def post(path: str, body: dict[str, Any], *, status: int = 200) -> dict[str, Any]:
    answer = APIClient().post(path, body)
    assert answer.status_code == status, answer.content
    return dict(answer.json())


def test_djoser_registers_signs_in_refreshes_and_changes_the_password() -> None:
    post("/djoser/users/", {**BODY, "password": PASSWORD}, status=201)
    pair = post("/djoser/jwt/create/", CREDENTIALS)
    assert Session.objects.get().user.username == "alan"
    assert bearer(pair["access"]).get("/djoser/users/me/").json()["username"] == "alan"
    post("/djoser/jwt/verify/", {"token": pair["access"]})
    again = post("/djoser/jwt/refresh/", {"refresh": pair["refresh"]})
    assert bearer(again["access"]).get("/djoser/users/me/").status_code == 200
    changed = bearer(again["access"]).post(
        "/djoser/users/set_password/",
        {"current_password": PASSWORD, "new_password": NEW},
    )
    assert changed.status_code == 204
    assert bearer(again["access"]).get("/djoser/users/me/").status_code == 401
    post("/djoser/jwt/refresh/", {"refresh": again["refresh"]}, status=401)
    post("/djoser/jwt/verify/", {"token": pair["access"]}, status=401)
    assert Session.objects.get().end_reason == EndReason.PASSWORD_CHANGED
    post("/djoser/jwt/create/", CREDENTIALS, status=401)
    post("/djoser/jwt/create/", {**CREDENTIALS, "password": NEW})


def test_djoser_deletes_the_account_and_its_sessions() -> None:
    post("/djoser/users/", {**BODY, "password": PASSWORD}, status=201)
    pair = post("/djoser/jwt/create/", CREDENTIALS)
    answer = bearer(pair["access"]).delete(
        "/djoser/users/me/", {"current_password": PASSWORD}, format="json"
    )
    assert answer.status_code == 204
    assert bearer(pair["access"]).get("/djoser/users/me/").status_code == 401
    post("/djoser/jwt/refresh/", {"refresh": pair["refresh"]}, status=401)


def test_dj_rest_auth_registers_signs_in_refreshes_and_verifies() -> None:
    twice = {"password1": PASSWORD, "password2": PASSWORD}
    made = post("/dj-rest-auth/registration/", {**BODY, **twice}, status=201)
    assert bearer(made["access"]).get("/dj-rest-auth/user/").json()["username"] == "alan"
    pair = post("/dj-rest-auth/login/", CREDENTIALS)
    assert pair["user"]["username"] == "alan"
    assert Session.objects.count() == 2
    again = post("/dj-rest-auth/token/refresh/", {"refresh": pair["refresh"]})
    post("/dj-rest-auth/token/verify/", {"token": again["access"]})
    assert bearer(again["access"]).get("/dj-rest-auth/user/").status_code == 200
    assert not mail.outbox


@pytest.mark.skipif(
    not apps.is_installed("rest_framework_simplejwt.token_blacklist"),
    reason="dj-rest-auth blacklists nothing without that app",
)
def test_dj_rest_auth_signs_out_of_one_session(user: Any) -> None:
    first, second = (
        post("/dj-rest-auth/login/", {"username": "ada", "password": PASSWORD}) for _ in range(2)
    )
    post("/dj-rest-auth/logout/", {"refresh": first["refresh"]})
    assert bearer(first["access"]).get("/dj-rest-auth/user/").status_code == 401
    post("/dj-rest-auth/logout/", {"refresh": first["refresh"]}, status=401)
    assert bearer(second["access"]).get("/dj-rest-auth/user/").status_code == 200
    assert Session.objects.filter(ended_at=None).count() == 1


def test_dj_rest_auth_changes_the_password_and_every_session_ends() -> None:
    twice = {"password1": PASSWORD, "password2": PASSWORD}
    made = post("/dj-rest-auth/registration/", {**BODY, **twice}, status=201)
    changed = bearer(made["access"]).post(
        "/dj-rest-auth/password/change/", {"new_password1": NEW, "new_password2": NEW}
    )
    assert changed.status_code == 200, changed.content
    assert bearer(made["access"]).get("/dj-rest-auth/user/").status_code == 401
    post("/dj-rest-auth/login/", CREDENTIALS, status=400)


def test_dj_rest_auths_cookie_signs_in() -> None:
    from dj_rest_auth.app_settings import api_settings

    twice = {"password1": PASSWORD, "password2": PASSWORD}
    api_settings.JWT_AUTH_COOKIE = "jwt"
    try:
        browser = APIClient()
        browser.post("/dj-rest-auth/registration/", {**BODY, **twice})
        assert browser.post("/dj-rest-auth/login/", CREDENTIALS).status_code == 200
        answer = browser.get("/dj-rest-auth/user/")
    finally:
        del api_settings.JWT_AUTH_COOKIE
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/djoser/jwt/create/", "/dj-rest-auth/login/"])
def test_guesses_are_limited(user: Any, settings: Any, path: str) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "2/min"
    wrong = {"username": "ada", "password": "wrong"}
    answers = [APIClient().post(path, wrong).status_code for _ in range(3)]
    assert answers[-1] == 429
    assert 429 not in answers[:-1]

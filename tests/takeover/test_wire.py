"""Former tokens at every door, over HTTP."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tokens import sessions
from tokens.models import EndReason, Session, SessionKind

from . import conftest
from .conftest import adopt

pytestmark = pytest.mark.django_db
PAGE = Path(__file__).resolve().parents[2] / "docs" / "takeover.md"
REFUSED = {"detail": "Token is blacklisted", "code": "token_not_valid"}


@pytest.fixture(autouse=True)
def _switched(user: Any) -> None:
    adopt(timezone.now())


def refresh_token(user: Any) -> str:
    return conftest.refresh_token(user, issued=timezone.now() - timedelta(minutes=1))


def access_token(user: Any) -> str:
    return conftest.access_token(user, issued=timezone.now() - timedelta(minutes=1))


def bearer(raw_access: str) -> Any:
    return {"HTTP_AUTHORIZATION": f"Bearer {raw_access}"}


def test_a_former_access_token_calls(api: APIClient, user: Any) -> None:
    answer = api.get("/api/me/", **bearer(access_token(user)))
    assert (answer.status_code, answer.json()["username"]) == (200, "ada")
    assert "no-store" in answer["Cache-Control"]
    answer = api.get("/api/me/", **bearer(refresh_token(user)))
    assert (answer.status_code, answer.json()["messages"][0]["message"]) == (
        401,
        "Token has wrong type",
    )


def test_a_refresh_answers_as_before_and_more(api: APIClient, user: Any, settings: Any) -> None:
    raw = refresh_token(user)
    answer = api.post("/api/token/refresh/", {"refresh": raw})
    assert answer.status_code == 200
    assert {"access", "refresh", "expires_in", "refresh_expires_in"} <= answer.json().keys()
    settings.TOKENS_ROTATION, settings.TOKENS_RETURN_REFRESH_TOKEN = "on_proof", False
    answer = api.post("/api/token/refresh/", {"refresh": raw})
    assert answer.json().keys() == {"access", "access_token", "token_type", "expires_in"}


def test_verify_and_introspect_know_both_types(api: APIClient, user: Any) -> None:
    for raw in (access_token(user), refresh_token(user)):
        answer = api.post("/api/token/verify/", {"token": raw})
        assert (answer.status_code, answer.json()) == (200, {})


@pytest.mark.parametrize(
    ("path", "name", "status"),
    [
        ("/api/token/blacklist/", "refresh", 200),
        ("/api/token/revoke/", "token", 200),
        ("/api/logout/", "refresh", 204),
        ("/api/logout/all/", "refresh", 204),
    ],
)
def test_a_former_refresh_token_signs_out(
    api: APIClient, user: Any, path: str, name: str, status: int
) -> None:
    raw = refresh_token(user)
    assert api.post(path, {name: raw}).status_code == status
    for again in ("/api/token/refresh/", "/api/token/blacklist/"):
        answer = api.post(again, {"refresh": raw})
        assert (answer.status_code, REFUSED.items() <= answer.json().items()) == (401, True)


def test_signing_out_with_both_former_tokens_ends_both(api: APIClient, user: Any) -> None:
    access, refresh = access_token(user), refresh_token(user)
    other = refresh_token(user)
    assert api.post("/api/logout/", {"refresh": refresh}, **bearer(access)).status_code == 204
    assert api.get("/api/me/", **bearer(access)).status_code == 401
    assert api.post("/api/token/refresh/", {"refresh": refresh}).status_code == 401
    assert api.post("/api/token/refresh/", {"refresh": other}).status_code == 200


@pytest.mark.parametrize("body", ["{", "{}", '{"refresh": "junk"}', '{"refresh": 5}'])
def test_signing_out_with_a_former_access_token_takes_any_body(
    api: APIClient, user: Any, body: str
) -> None:
    raw = access_token(user)
    answer = api.generic("POST", "/api/logout/", body, "application/json", **bearer(raw))
    assert answer.status_code == 204
    assert api.get("/api/me/", **bearer(raw)).status_code == 401


def test_signing_out_everywhere_reaches_every_former_token(api: APIClient, user: Any) -> None:
    access, refresh = access_token(user), refresh_token(user)
    assert api.post("/api/logout/all/", **bearer(access_token(user))).status_code == 204
    assert api.get("/api/me/", **bearer(access)).status_code == 401
    assert api.post("/api/token/refresh/", {"refresh": refresh}).status_code == 401


def test_a_user_sees_what_stands_for_former_tokens(api: APIClient, user: Any) -> None:
    raw = access_token(user)
    listed = api.get("/api/sessions/", **bearer(raw)).json()["results"]
    assert {(entry["kind"], entry["current"]) for entry in listed} == {
        ("access", True),
        ("access", False),
    }
    (unshown,) = [entry["id"] for entry in listed if not entry["current"]]
    assert api.delete(f"/api/sessions/{unshown}/", **bearer(raw)).status_code == 204
    assert api.post("/api/token/refresh/", {"refresh": refresh_token(user)}).status_code == 401


def test_in_snapshot_mode_a_former_access_token_is_looked_up(
    api: APIClient, user: Any, settings: Any
) -> None:
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    raw = access_token(user)
    assert api.get("/api/me/", **bearer(raw)).status_code == 200
    Session.objects.filter(kind=SessionKind.ACCESS).update(
        ended_at=timezone.now(), end_reason=EndReason.REVOKED
    )
    assert api.get("/api/me/", **bearer(raw)).status_code == 401


def test_a_password_change_with_a_refreshed_token_keeps_the_session(user: Any) -> None:
    pair = sessions.refresh(refresh_token(user))
    user.set_password("another one")
    again = sessions.change_password(user, keep=pair.session.pk)
    assert sessions.authenticate(again.raw_access).user == user


def test_every_line_is_documented() -> None:
    package = PAGE.parents[1] / "tokens" / "takeover"
    names = {
        name
        for path in package.rglob("*.py")
        for name in re.findall(r'signals\.log\(\s*"(\w+)"', path.read_text())
    }
    assert names == set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.M)) - {"token"}

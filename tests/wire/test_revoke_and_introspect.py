"""The API's answers about a token: revoke and introspect."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from tests.wire.conftest import SignIn
from tokens import sessions
from tokens.models import Session


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
def test_revoke_answers_200_to_every_token(api: APIClient, db: None, hint: str) -> None:
    answer = api.post("/api/token/revoke/", {"token": "garbage", "token_type_hint": hint})
    assert (answer.status_code, answer.json()) == (200, {})
    assert api.post("/api/token/revoke/", {}).status_code == 400


def test_revoking_twice_is_fine(api: APIClient, signed_in: dict[str, Any]) -> None:
    for _ in range(2):
        answer = api.post("/api/token/revoke/", {"token": signed_in["refresh"]})
        assert (answer.status_code, answer.json()) == (200, {})


def test_a_revoked_refresh_token_takes_its_access_tokens_along(
    api: APIClient, signed_in: dict[str, Any], bearer: SignIn
) -> None:
    api.post("/api/token/revoke/", {"token": signed_in["refresh"]})
    assert bearer(signed_in["access"]).get("/api/me/").status_code == 401


def test_a_revoked_access_token_leaves_the_session(
    api: APIClient, signed_in: dict[str, Any], bearer: SignIn
) -> None:
    api.post("/api/token/revoke/", {"token": signed_in["access"]})
    assert bearer(signed_in["access"]).get("/api/me/").status_code == 401
    refreshed = api.post("/api/token/refresh/", {"refresh": signed_in["refresh"]}).json()
    assert bearer(refreshed["access"]).get("/api/me/").status_code == 200


def test_introspection_is_for_those_with_the_permission(
    api: APIClient, user: Any, bearer: SignIn
) -> None:
    body = {"token": "garbage"}
    anonymous = api.post("/api/token/introspect/", body)
    assert anonymous.status_code == 401
    assert anonymous["WWW-Authenticate"] == 'Bearer realm="api"'
    pair = sessions.start(user)
    client = bearer(pair.raw_access)
    assert client.post("/api/token/introspect/", body).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="introspect_token"))
    answer = client.post("/api/token/introspect/", body)
    assert (answer.status_code, answer.json()) == (200, {"active": False})
    active = client.post("/api/token/introspect/", {"token": pair.raw_access}).json()
    claims = sessions.verify(pair.raw_access).claims
    assert active == {"active": True, **claims.as_json()}
    sessions.revoke(sessions.start(user).raw_refresh)
    revoked = sessions.start(user)
    sessions.revoke(revoked.raw_refresh)
    answer = client.post("/api/token/introspect/", {"token": revoked.raw_refresh})
    assert answer.json() == {"active": False}


def an_active_account(session: Session) -> dict[str, Any]:
    return {"active": "premium"}


def test_no_claim_of_a_project_says_whether_a_token_is_active(
    bearer: Any, admin_user: Any, settings: Any
) -> None:
    settings.TOKENS_CLAIMS_HOOK = f"{__name__}.an_active_account"
    raw_access = sessions.start(admin_user).raw_access
    answer = bearer(raw_access).post("/api/token/introspect/", {"token": raw_access})
    assert answer.json()["active"] is True

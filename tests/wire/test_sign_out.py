"""Signing out over the API, and giving one's own refresh token back."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.support.grace import rotate_twice
from tests.wire.conftest import SignIn
from tokens import sessions
from tokens.models import EndReason, Session


@pytest.mark.parametrize("everywhere", [False, True])
def test_signing_out(api: APIClient, user: Any, bearer: SignIn, everywhere: bool) -> None:
    mine, other = sessions.start(user), sessions.start(user)
    answer = bearer(mine.raw_access).post("/api/logout/all/" if everywhere else "/api/logout/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert bearer(mine.raw_access).get("/api/me/").status_code == 401
    expected = 401 if everywhere else 200
    assert bearer(other.raw_access).get("/api/me/").status_code == expected


@pytest.mark.parametrize("path", ["/api/logout/", "/api/logout/all/"])
def test_signing_out_works_with_an_expired_access_token_and_a_refresh_token(
    bearer: SignIn, expired: sessions.TokenPair, path: str
) -> None:
    client = bearer(expired.raw_access)
    assert client.post(path).status_code == 401
    assert client.post(path, {"refresh": expired.raw_refresh}).status_code == 204
    assert Session.objects.get().ended_at is not None


@pytest.mark.parametrize("path", ["/api/logout/", "/api/logout/all/"])
def test_signing_out_without_any_token_is_refused(api: APIClient, db: None, path: str) -> None:
    answer = api.post(path)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Authentication credentials were not provided."}
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(
    ("path", "field"), [("/api/token/revoke/", "token"), ("/api/token/blacklist/", "refresh")]
)
def test_who_gives_their_own_refresh_token_back_has_signed_out(
    api: APIClient, signed_in: dict[str, Any], path: str, field: str
) -> None:
    """As clients of djangorestframework-simplejwt do. Their network must stay a known one."""
    assert api.post(path, {field: signed_in["refresh"]}).status_code == 200
    assert Session.objects.get().end_reason == EndReason.LOGOUT


@pytest.mark.parametrize(
    ("path", "field", "status"),
    [
        ("/api/logout/", "refresh", 204),
        ("/api/logout/all/", "refresh", 401),
        ("/api/token/revoke/", "token", 200),
        ("/api/token/blacklist/", "refresh", 401),
    ],
)
def test_a_superseded_refresh_token_ends_its_own_session_as_reuse_and_no_other(
    api: APIClient, user: Any, path: str, field: str, status: int
) -> None:
    pair, other = sessions.start(user), sessions.start(user)
    rotate_twice(pair)
    assert api.post(path, {field: pair.raw_refresh}).status_code == status
    assert Session.objects.get(pk=pair.session.pk).end_reason == EndReason.REUSE
    sessions.authenticate(other.raw_access)

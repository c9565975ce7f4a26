"""OAuth clients of other people use the token endpoint as their manuals say (RFC 6749)."""

from typing import Any

import httpx
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from httpx_auth import InvalidGrantRequest, OAuth2ResourceOwnerPasswordCredentials
from oauthlib.oauth2 import InvalidGrantError, LegacyApplicationClient
from requests_oauthlib import OAuth2Session
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tokens import sessions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(live_server: Any, user: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # The test's server has no TLS.
    return str(live_server.url)


def call_and_refresh(session: Any, site: str) -> None:
    assert session.get(f"{site}/api/me/").json()["username"] == "ada"
    former = session.token["access_token"]
    session.refresh_token(f"{site}/api/token/refresh/")
    assert session.token["access_token"] != former
    assert session.get(f"{site}/api/me/").status_code == 200


def test_requests_oauthlib_signs_in_calls_and_refreshes(site: str) -> None:
    session = OAuth2Session(client=LegacyApplicationClient("web"))
    session.fetch_token(f"{site}/api/token/", username="ada", password=PASSWORD)
    call_and_refresh(session, site)
    with pytest.raises(InvalidGrantError):
        session.fetch_token(f"{site}/api/token/", username="ada", password="wrong")


def test_authlib_signs_in_calls_and_refreshes(site: str) -> None:
    session = AuthlibSession("web", token_endpoint_auth_method="none")
    session.fetch_token(f"{site}/api/token/", username="ada", password=PASSWORD)
    call_and_refresh(session, site)


def test_authlib_takes_no_refusal_for_a_token(site: str) -> None:
    session = AuthlibSession("web", token_endpoint_auth_method="none")
    with pytest.raises(OAuthError, match="invalid_grant"):
        session.fetch_token(f"{site}/api/token/", username="ada", password="wrong")
    with pytest.raises(OAuthError, match="invalid_grant"):
        session.refresh_token(f"{site}/api/token/refresh/", refresh_token="garbage")


def test_httpx_auth_signs_in_and_calls(site: str) -> None:
    right = OAuth2ResourceOwnerPasswordCredentials(f"{site}/api/token/", "ada", PASSWORD)
    with httpx.Client(auth=right) as client:
        assert client.get(f"{site}/api/me/").json()["username"] == "ada"
    wrong = OAuth2ResourceOwnerPasswordCredentials(f"{site}/api/token/", "ada", "wrong")
    with httpx.Client(auth=wrong) as client, pytest.raises(InvalidGrantRequest):
        client.get(f"{site}/api/me/")


@pytest.mark.parametrize("path", ["/api/token/", "/api/token/refresh/"])
def test_a_refusal_of_a_token_endpoint_has_the_error_of_rfc_6749(
    api: APIClient, user: Any, settings: Any, path: str
) -> None:
    refused = {"username": "ada", "password": "wrong", "refresh": "garbage"}
    assert api.post(path, refused).json()["error"] == "invalid_grant"
    malformed = api.post(path, "{", content_type="application/json")
    assert malformed.json()["error"] == "invalid_request"
    assert "error" not in api.post(path, {}).json()  # Its members are the names of fields.
    settings.TOKENS_LOGIN_THROTTLE = settings.TOKENS_REFRESH_THROTTLE = "1/hour"
    answers = [api.post(path, refused) for _ in range(2)]
    assert answers[-1].status_code == 429
    assert answers[-1].json()["error"] == "temporarily_unavailable"


def test_refresh_token_is_another_name_of_refresh(api: APIClient, user: Any) -> None:
    pair = sessions.start(user)
    for path in ("/api/token/refresh/", "/api/token/blacklist/"):
        assert api.post(path, {"refresh_token": pair.raw_refresh}).status_code == 200
    both = {"refresh": "garbage", "refresh_token": sessions.start(user).raw_refresh}
    assert api.post("/api/token/refresh/", both).status_code == 401

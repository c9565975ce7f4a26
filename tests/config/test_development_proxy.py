"""A front end's development server passes requests on with this site's own Host."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from rest_framework.test import APIClient

from tests.config.test_env import read_settings
from tests.wire.conftest import CREDENTIALS

SECRETS = {
    "SECRET_KEY": "a-secret-key-for-this-test-0123456789",
    "TOKEN_SECRET": "a-token-secret-for-this-test-0123456789",
}


def signs_in(origin: str) -> int:
    """Sign in as a page at this origin does through such a server, and return the status."""
    client = APIClient(enforce_csrf_checks=True, SERVER_NAME="127.0.0.1", SERVER_PORT="8000")
    token = client.get("/api/token/cookie/").json()["csrf_token"]
    client.credentials(HTTP_X_CSRFTOKEN=token, HTTP_ORIGIN=origin)
    status: int = client.post("/api/token/cookie/", CREDENTIALS).status_code
    if status == 200:
        client.credentials(HTTP_X_CSRFTOKEN=client.cookies["csrftoken"].value, HTTP_ORIGIN=origin)
        assert client.post("/api/token/cookie/refresh/").status_code == 200
        assert client.post("/api/logout/").status_code == 204
    return status


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://127.0.0.1:3000"])
def test_its_pages_can_sign_in_and_refresh_while_developing(
    user: Any, monkeypatch: pytest.MonkeyPatch, settings: Any, origin: str
) -> None:
    assert signs_in(origin) == 403
    read = read_settings(monkeypatch, **SECRETS, DEBUG="true")
    settings.CSRF_TRUSTED_ORIGINS = read["CSRF_TRUSTED_ORIGINS"]
    assert signs_in(origin) == 200
    assert signs_in("http://evil.example:5173") == 403


def test_in_production_only_what_is_listed_is_trusted(
    user: Any, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    assert read_settings(monkeypatch, **SECRETS)["CSRF_TRUSTED_ORIGINS"] == []
    listed = "https://app.example.org,https://*.example.net"
    read = read_settings(monkeypatch, **SECRETS, CSRF_TRUSTED_ORIGINS=listed)
    settings.CSRF_TRUSTED_ORIGINS = read["CSRF_TRUSTED_ORIGINS"]
    assert signs_in("https://app.example.org") == 200
    assert signs_in("https://www.example.net") == 200
    assert signs_in("http://localhost:5173") == 403


def test_djangos_session_cookie_can_be_set_by_no_other_host_of_the_domain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert read_settings(monkeypatch, **SECRETS)["SESSION_COOKIE_NAME"] == "__Host-sessionid"
    development = read_settings(monkeypatch, **SECRETS, DEBUG="true")
    assert development["SESSION_COOKIE_NAME"] == django_settings.SESSION_COOKIE_NAME == "sessionid"

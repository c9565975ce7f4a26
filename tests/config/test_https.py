"""With HTTPS on, what comes in clear under /api/ is refused, and pages are redirected."""

from typing import Any

import pytest
from django.test import Client

from tests.conftest import PASSWORD


@pytest.fixture(autouse=True)
def _https(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True


@pytest.mark.parametrize(
    "path", ["/api/token/", "/api/docs/", "/api/nowhere/", "/API/me/", "/api//"]
)
def test_plain_http_is_refused_under_api_with_the_reason(client: Client, path: str) -> None:
    answer = client.post(path, {"username": "ada", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (403, "https_required")
    assert "consider them leaked" in answer.json()["detail"]
    assert answer["Content-Length"] == str(len(answer.content))
    assert "Location" not in answer


@pytest.mark.parametrize("path", ["/", "/admin/", "/apis/", "/.well-known/jwks.json"])
def test_plain_http_is_redirected_elsewhere(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (301, f"https://testserver{path}")


@pytest.mark.django_db
def test_https_is_answered(client: Client) -> None:
    assert client.get("/api/me/", secure=True).status_code == 401


def test_the_load_balancer_may_ask_without_tls(client: Client) -> None:
    assert client.get("/healthz").status_code == 200


def test_without_https_nothing_is_refused(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = False
    assert client.get("/api/docs/").status_code == 200

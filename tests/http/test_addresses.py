"""Addresses as they arrive: spellings of /api/, and plain HTTP where HTTPS is on."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.attacks.client import Client
from tests.support.processes import site_under

from .conftest import Served

pytestmark = pytest.mark.slow

PATHS = [
    "//api/me/",
    "/API/me/",
    "/api//me/",
    "/api",
    "/x/../api/me/",
    "/%61pi//me/",
    "/.well-known/x",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_spelling_of_an_api_address_is_answered_with_a_page(served: Served, path: str) -> None:
    for method in ("GET", "POST"):
        answer = served.client.send(method, path, ("Accept", "text/html"))
        assert (answer.status, answer.is_json) == (404, True)


def test_a_request_id_of_a_client_is_not_taken(served: Served) -> None:
    answer = served.client.send("GET", "/healthz", ("X-Request-ID", "0123456789abcdef"))
    assert "0123456789abcdef" not in answer.head + served.printed()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("server", ["gunicorn", "uvicorn"])
def test_a_password_that_comes_in_clear_is_refused_and_a_page_is_redirected(
    server: str, tmp_path: Path
) -> None:
    changes = {
        "DJANGO_SETTINGS_MODULE": "config.settings",  # Those of the tests set HTTPS themselves.
        "HTTPS": "true",
        "TRUSTED_PROXIES": "1",
        "WEB_CONCURRENCY": "1",
    }
    with site_under(server, changes, log=tmp_path / "log") as site:
        client = Client(urlsplit(site.base).port or 0, hangs_up=server == "gunicorn")
        body = b'{"username": "ada", "password": "wrong"}'
        refused = client.send("POST", "/api/token/", body=body)
        assert (refused.status, refused.json()["code"]) == (403, "https_required")
        assert client.get("/admin/").status == 301
        by_proxy = client.send("POST", "/api/token/", ("X-Forwarded-Proto", "https"), body=body)
        assert by_proxy.status == 401

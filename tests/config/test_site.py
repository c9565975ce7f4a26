"""The error pages, the first page and the content security policy of the project."""

from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError, connection
from django.test import Client, RequestFactory

from config import errors


@pytest.mark.parametrize(("path", "is_json"), [("/api/x", True), ("/admin/x", False)])
def test_error_pages_are_json_under_api_and_html_elsewhere(path: str, is_json: bool) -> None:
    request = RequestFactory().get(path)
    pages = [
        (400, errors.bad_request(request, SuspiciousOperation())),
        (403, errors.permission_denied(request, Exception())),
        (404, errors.page_not_found(request)),
        (500, errors.server_error(request)),
    ]
    for status, page in pages:
        assert page.status_code == status
        assert page["Content-Type"].startswith("application/json" if is_json else "text/html")


@pytest.mark.parametrize(
    "path",
    [
        *(
            "//api/me/",
            "/API/me/",
            "/api//me/",
            "/Api/me/",
            "///api",
            "/api",
            "/api/.",
            "/api/../x",
        ),
        *(
            "http://testserver/api/me/",
            "/x/../api/me/",
            "/./api/me/",
            "\\\\api\\me/",
            "/.WELL-KNOWN/x",
            "//.well-known//x",
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_spelling_of_an_api_address_is_a_404_in_json(
    client: Client, settings: Any, path: str, method: str
) -> None:
    answer = client.generic(method, "/", PATH_INFO=path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found."})


@pytest.mark.parametrize("path", ["//api/me/", "/API/me/", "/api//me/", "/api", "/.well-known/x"])
def test_so_it_is_while_errors_are_shown(client: Client, settings: Any, path: str) -> None:
    settings.DEBUG = True
    answer = client.generic("GET", "/", PATH_INFO=path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")


@pytest.mark.parametrize("path", ["/apis/", "/x/api/", "/api.html", "/well-known/", "/%61pi/"])
def test_other_addresses_are_pages(client: Client, path: str) -> None:
    answer = client.generic("GET", "/", PATH_INFO=path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_while_the_database_is_away_a_page_says_when_to_come_back(admin_client: Client) -> None:
    def gone(*statement: Any) -> None:
        raise OperationalError("server closed the connection")

    admin_client.raise_request_exception = False
    with connection.execute_wrapper(gone):
        page = admin_client.get("/admin/")
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert b"closed" not in page.content


def test_a_host_name_that_is_not_ours_is_a_400_in_json(client: Client) -> None:
    answer = client.get("/api/me/", HTTP_HOST="evil.example")
    assert (answer.status_code, answer.json()) == (400, {"detail": "Bad Request."})


def test_the_first_page_says_what_this_is_under_the_name_that_it_was_asked_by(
    client: Client,
) -> None:
    page = client.get("/", HTTP_HOST="localhost:8001")
    assert page.status_code == 200
    assert "curl -s http://localhost:8001/api/token/" in page.content.decode()


def test_the_root_of_the_api_leads_to_the_documentation(client: Client) -> None:
    assert client.get("/api/")["Location"] == "/api/docs/"


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize(
    "path", ["/", "/api/docs/", "/api/me/", "/admin/login/", "/nowhere", "/healthz"]
)
def test_every_answer_forbids_what_is_inline_and_what_is_elsewhere(
    client: Client, db: None, path: str, accept: str
) -> None:
    policy = client.get(path, HTTP_ACCEPT=accept)["Content-Security-Policy"]
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


def test_applications_can_be_imported_by_a_server() -> None:
    from config.asgi import application as asgi
    from config.wsgi import application as wsgi

    assert callable(asgi)
    assert callable(wsgi)

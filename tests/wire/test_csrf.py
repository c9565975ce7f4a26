"""
Cross-site requests: what another site's page can make a browser send changes nothing.

Each case is an unsafe request with the victim's cookies and something wrong about its origin.
"""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.wire.conftest import CREDENTIALS, credentials_of, sign_in
from tokens import sessions
from tokens.models import Session

ELSEWHERE = "https://evil.example"

Attack = Callable[[APIClient], None]


def no_token(client: APIClient) -> None:
    client.credentials()


def wrong_token(client: APIClient) -> None:
    client.credentials(HTTP_X_CSRFTOKEN="x" * 64)


def malformed_token(client: APIClient) -> None:
    client.credentials(HTTP_X_CSRFTOKEN="short")


def token_of_another_browser(client: APIClient) -> None:
    other = APIClient()
    token = other.get("/api/token/cookie/").json()["csrf_token"]
    client.credentials(HTTP_X_CSRFTOKEN=token)


def foreign_origin(client: APIClient) -> None:
    client.credentials(**credentials_of(client), HTTP_ORIGIN=ELSEWHERE)


def no_cookie(client: APIClient) -> None:
    del client.cookies["csrftoken"]


def opaque_origin(client: APIClient) -> None:
    # What a sandboxed frame and a redirect from another site send.
    client.credentials(**credentials_of(client), HTTP_ORIGIN="null")


ATTACKS = [
    no_token,
    wrong_token,
    malformed_token,
    token_of_another_browser,
    foreign_origin,
    no_cookie,
    opaque_origin,
]

REQUESTS: list[tuple[str, str, dict[str, str]]] = [
    ("post", "/api/token/cookie/", CREDENTIALS),
    ("post", "/api/token/cookie/refresh/", {}),
    ("post", "/api/logout/", {}),
    ("post", "/api/logout/all/", {}),
    ("post", "/api/logout/others/", {}),
    ("delete", "/api/sessions/{sid}/", {}),
    ("patch", "/api/sessions/{sid}/", {"name": "mine now"}),
    (
        "post",
        "/api/me/password/",
        {"current_password": PASSWORD, "new_password": "another horse, another battery"},
    ),
    ("post", "/api/token/introspect/", {"token": "garbage"}),
]


def rows(user: Any) -> list[Any]:
    user.refresh_from_db()
    return [user.password, *Session.objects.order_by("pk").values_list()]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
@pytest.mark.parametrize("format", ["json", "multipart"])
def test_a_cross_site_request_is_a_403_in_json_and_changes_nothing(
    browser: APIClient,
    user: Any,
    attack: Attack,
    method: str,
    path: str,
    body: dict[str, str],
    format: str,
) -> None:
    sign_in(browser)
    sid = str(sessions.authenticate(browser.cookies["latchkey_access"].value).claims.sid)
    before = rows(user)
    attack(browser)
    answer = getattr(browser, method)(path.format(sid=sid), body, format=format)
    assert answer.status_code == 403
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["detail"].startswith("CSRF Failed: ")
    assert rows(user) == before
    assert not any(name.startswith("latchkey") for name in answer.cookies)


def test_a_page_elsewhere_cannot_sign_its_reader_in_as_another_user(
    browser: APIClient,
    user: Any,
) -> None:
    browser.credentials()
    answer = browser.post("/api/token/cookie/", CREDENTIALS, format="multipart")
    assert answer.status_code == 403
    assert not Session.objects.exists()


def test_the_token_may_be_in_the_form(browser: APIClient) -> None:
    token = browser.get("/api/token/cookie/").json()["csrf_token"]
    browser.credentials()
    body = {**CREDENTIALS, "csrfmiddlewaretoken": token}
    assert browser.post("/api/token/cookie/", body, format="multipart").status_code == 200


def test_a_token_from_before_the_sign_in_is_worth_nothing_after_it(
    browser: APIClient,
) -> None:
    planted = credentials_of(browser)["HTTP_X_CSRFTOKEN"]
    sign_in(browser)
    browser.credentials(HTTP_X_CSRFTOKEN=planted)
    assert browser.post("/api/logout/").status_code == 403


def test_reading_by_cookie_needs_no_csrf_token(browser: APIClient) -> None:
    sign_in(browser)
    browser.credentials(HTTP_ORIGIN=ELSEWHERE)
    for method in (browser.get, browser.head, browser.options):
        assert method("/api/me/").status_code == 200


def test_a_bearer_request_is_never_asked_for_a_csrf_token(user: Any) -> None:
    client = APIClient(enforce_csrf_checks=True)
    mine, other = sessions.start(user), sessions.start(user)
    client.credentials(HTTP_AUTHORIZATION=f"bearer {mine.raw_access}", HTTP_ORIGIN=ELSEWHERE)
    assert client.delete(f"/api/sessions/{other.session.pk}/").status_code == 204
    assert client.post("/api/token/revoke/", {"token": "garbage"}).status_code == 200
    assert client.post("/api/logout/").status_code == 204
    client.credentials(HTTP_ORIGIN=ELSEWHERE)
    third = sessions.start(user)
    assert client.post("/api/logout/", {"refresh": third.raw_refresh}).status_code == 204
    assert client.post("/api/token/", CREDENTIALS).status_code == 200


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx"),
        ("multipart/form-data; boundary=b; charset=nope", b"--b--"),
        ("application/x-www-form-urlencoded; charset=nope", b"a=b"),
        ("application/x-www-form-urlencoded; charset=utf-16", b"a=b"),
        ("application/x-www-form-urlencoded", b"a=%ff&" * 2000),
        ("application/x-www-form-urlencoded", b"x" * 3_000_000),
        ("application/json", b"\xff"),
        ("nonsense", b"x"),
    ],
)
@pytest.mark.parametrize("path", ["/api/token/cookie/", "/api/logout/", "/api/me/password/"])
def test_a_body_that_cannot_be_read_is_an_answer_by_cookie_too(
    browser: APIClient, path: str, content_type: str, body: bytes, accept: str
) -> None:
    sign_in(browser)
    answer = browser.generic(
        "POST",
        path,
        body,  # type: ignore[arg-type]  # DRF takes bytes; the stub takes text alone.
        content_type,
        HTTP_ACCEPT=accept,
    )
    # The sign-out ignores its body, and DRF's page answers 200 instead of 204.
    fine = {204 if accept == "application/json" else 200} if "logout" in path else set()
    assert answer.status_code in {400, 403, 413, 415} | fine, answer.content
    if accept == "application/json" and answer.content:
        assert answer["Content-Type"] == "application/json"
        # Not Django's own handler of a bad request, which may not be JSON in another project.
        assert answer.json() != {"detail": "Bad Request."}


def test_a_page_of_another_origin_is_not_let_read_or_send_with_cookies(
    browser: APIClient,
    settings: Any,
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    answer = browser.get("/api/me/", HTTP_ORIGIN="https://app.example")
    assert answer["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Credentials" not in answer

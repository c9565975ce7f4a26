"""The sign-in page and the browsable API over HTTP: addresses, statuses, and what is not shown."""

import re
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.wire.conftest import CREDENTIALS, credentials_of, sign_in
from tokens import keyring, sessions
from tokens.models import Session

# Values that look like a path, but lead to another host or run a script.
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/\t/evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "api/me/",
    " /api/me/",
    "http://testserver/api/me/",
    "",
]


@pytest.fixture
def reader(user: Any) -> APIClient:
    """Return a browser that asks for HTML and is checked for CSRF."""
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_ACCEPT="text/html")
    return client


def fill_in(reader: APIClient, **fields: str) -> Any:
    page = reader.get("/api/login/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    body = {**CREDENTIALS, "csrfmiddlewaretoken": token[1], **fields}
    return reader.post("/api/login/", body, format="multipart")


def test_the_sign_in_page_sets_the_cookies_and_goes_on(reader: APIClient) -> None:
    answer = fill_in(reader, next="/api/me/?a=b")
    assert (answer.status_code, answer["Location"]) == (302, "/api/me/?a=b")
    assert answer["Cache-Control"] == "no-store"
    assert "ada" in reader.get("/api/me/").content.decode()


@pytest.mark.parametrize("next", ELSEWHERE)
def test_the_sign_in_page_goes_on_to_no_other_site(reader: APIClient, next: str) -> None:
    assert fill_in(reader, next=next)["Location"] == "/api/sessions/"


def test_a_refused_sign_in_is_shown_with_its_status_and_without_the_password(
    reader: APIClient,
) -> None:
    answer = fill_in(reader, password="wrong <b>", next="/api/me/")
    page = answer.content.decode()
    assert answer.status_code == 401
    assert answer["Content-Type"].startswith("text/html")
    assert "No active account found" in page
    assert 'value="ada"' in page
    assert 'value="/api/me/"' in page
    assert "wrong" not in page
    assert fill_in(reader, username="", password="").status_code == 400
    assert not Session.objects.exists()


def test_the_sign_in_page_escapes_what_was_typed(reader: APIClient) -> None:
    page = fill_in(reader, username='"><script>', password="wrong").content.decode()
    assert "&quot;&gt;&lt;script&gt;" in page
    assert '"><script>' not in page


def test_the_sign_in_page_is_limited_with_the_other_sign_ins(
    reader: APIClient, settings: Any
) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "1/day"
    APIClient().post("/api/token/", CREDENTIALS)
    answer = fill_in(reader)
    assert answer.status_code == 429
    assert answer["Retry-After"]
    assert "too many attempts to sign in" in answer.content.decode()


@pytest.mark.parametrize("wrong", ["", "x" * 64])
def test_a_form_from_elsewhere_signs_no_user_in(reader: APIClient, wrong: str) -> None:
    answer = fill_in(reader, csrfmiddlewaretoken=wrong)
    assert answer.status_code == 403
    assert "Please try again." in answer.content.decode()
    assert not Session.objects.exists()


def test_signing_out_of_the_page_needs_no_script_and_no_live_token(reader: APIClient) -> None:
    fill_in(reader)
    del reader.cookies["latchkey_access"]
    token = reader.cookies["csrftoken"].value
    refused = reader.post("/api/logout/page/", {}, format="multipart")
    assert refused.status_code == 403
    body = {"csrfmiddlewaretoken": token}
    answer = reader.post("/api/logout/page/", body, format="multipart")
    assert (answer.status_code, answer["Location"]) == (302, "/api/login/?signed-out")
    assert answer.cookies["latchkey_refresh"]["max-age"] == 0
    assert Session.objects.get().ended_at is not None
    again = reader.post("/api/logout/page/", body, format="multipart")
    assert again["Location"] == "/api/login/?signed-out"


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_signing_out_happens_by_post_alone(reader: APIClient, method: str) -> None:
    fill_in(reader)
    assert getattr(reader, method)("/api/logout/page/").status_code == 405
    assert Session.objects.get().ended_at is None


@pytest.mark.parametrize("body", [b"\xff", b"{}", b'{"next": 3}', b"[]"])
@pytest.mark.parametrize("content_type", ["application/json", "nonsense", "multipart/form-data"])
def test_a_body_that_is_no_form_is_an_answer(
    reader: APIClient, content_type: str, body: bytes
) -> None:
    token = reader.get("/api/login/") and reader.cookies["csrftoken"].value
    answer = reader.generic(
        "POST",
        "/api/login/",
        body,  # type: ignore[arg-type]  # DRF takes bytes; the stub takes text alone.
        content_type,
        HTTP_X_CSRFTOKEN=token,
    )
    assert answer.status_code in (400, 415)
    assert answer["Content-Type"].startswith("text/html")


def test_a_program_that_wants_json_of_a_page_gets_an_answer(api: APIClient, db: None) -> None:
    for path in ("/api/login/", "/api/logout/page/"):
        assert api.get(path, HTTP_ACCEPT="application/json").status_code in (405, 406)


@pytest.mark.parametrize("path", ["/api/me/", "/api/sessions/", "/api/token/introspect/"])
def test_a_browser_that_is_not_signed_in_sees_a_401_page_with_the_way_in(
    reader: APIClient, path: str
) -> None:
    answer = reader.get(f"{path}?a=b&c")
    page = answer.content.decode()
    assert answer.status_code == 401
    assert f'href="/api/login/?next={path.replace("/", "%2F")}%3Fa%3Db%26c"' in page
    assert 'data-try-refresh="true"' in page


def test_only_a_page_that_was_read_is_opened_again_after_a_refresh(reader: APIClient) -> None:
    page = reader.post("/api/me/password/", {}, format="multipart").content.decode()
    assert "data-try-refresh" not in page


def test_a_view_that_authenticates_no_request_still_names_the_reader(reader: APIClient) -> None:
    assert "Signed in as" not in reader.get("/api/token/").content.decode()
    fill_in(reader)
    assert "<b>ada</b>" in reader.get("/api/token/").content.decode()
    reader.cookies["latchkey_access"] = "garbage"
    assert "<b>ada</b>" not in reader.get("/api/token/").content.decode()


def test_no_page_about_a_person_stays_in_the_browsers_cache(reader: APIClient) -> None:
    fill_in(reader)
    for path in ("/api/me/", "/api/sessions/", "/api/login/"):
        assert reader.get(path)["Cache-Control"] == "no-store"


def test_no_page_shows_a_token(reader: APIClient, user: Any) -> None:
    fill_in(reader)
    raw_tokens = [reader.cookies[f"latchkey_{name}"].value for name in ("access", "refresh")]
    for path in ("/api/me/", "/api/sessions/", "/api/token/", "/api/token/cookie/", "/api/login/"):
        page = reader.get(path).content.decode()
        for raw_token in raw_tokens:
            assert raw_token not in page


def test_where_nothing_is_read_the_curl_is_that_of_a_change(reader: APIClient) -> None:
    page = reader.get("/api/token/").content.decode()
    assert (
        "curl -s http://testserver/api/token/ "
        "-H &#x27;Content-Type: application/json&#x27; -d @body.json" in page
    )


def test_the_curl_of_a_change_says_the_method_and_not_the_body(browser: APIClient) -> None:
    sign_in(browser)
    body = {"current_password": "secret-of-ada", "new_password": PASSWORD}
    page = browser.post("/api/me/password/", body, HTTP_ACCEPT="text/html").content.decode()
    curl = re.search(r'<code id="curl">(.*?)</code>', page)
    assert curl is not None
    assert "secret-of-ada" not in page
    assert "-d @body.json" in curl[1]
    deleted = browser.delete(
        f"/api/sessions/{sessions.start(Session.objects.get().user).session.pk}/",
        HTTP_ACCEPT="text/html",
    )
    assert "curl -s -X DELETE " in deleted.content.decode()


@pytest.mark.parametrize("path", ["/api/login/", "/api/logout/page/"])
def test_a_page_for_people_has_no_description(reader: APIClient, path: str) -> None:
    assert reader.options(path).status_code == 405


def test_half_a_character_is_shown_as_a_question_mark(reader: APIClient) -> None:
    body = b'{"username": "\\ud800", "password": "x"}'
    answer = reader.post("/api/token/", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert 'value="?"' in answer.content.decode()


def test_a_refresh_by_cookie_is_shown_with_any_body(browser: APIClient) -> None:
    sign_in(browser)
    browser.credentials(**credentials_of(browser), HTTP_ACCEPT="text/html")
    answer = browser.post("/api/token/cookie/refresh/", data=b"x", content_type="text/plain")
    assert answer.status_code == 200
    assert "latchkey_refresh" in answer.cookies


def test_pages_say_that_the_ring_does_not_open_and_fail_nowhere(
    browser: APIClient, settings: Any
) -> None:
    sign_in(browser)
    browser.credentials(HTTP_ACCEPT="text/html")
    keyring.forget()
    settings.TOKENS_SECRET = "another-token-secret-that-is-long-enough-0123456789"
    assert browser.get("/api/me/").status_code == 503
    assert browser.get("/api/login/").status_code == 200

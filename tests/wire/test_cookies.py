"""Tokens in cookies: what the browser gets, what a stale one does, and when one is accepted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from config.urls import urlpatterns as project_urls
from tests.wire.conftest import CREDENTIALS, sign_in
from tokens import keyring, sessions
from tokens.api import cookies
from tokens.authentication import OptionalJWTAuthentication
from tokens.models import EndReason, Session, SigningKey

NAMES = {"latchkey_access", "latchkey_refresh"}


class OpenView(APIView):
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        return Response({"user": str(request.user)})


urlpatterns = [
    path("api/open/", OpenView.as_view()),
    path(
        "api/open/to-all/",
        OpenView.as_view(authentication_classes=(OptionalJWTAuthentication,)),
    ),
    *project_urls,
]


def only_session() -> Session:
    return Session.objects.get()


def test_sign_in_puts_the_tokens_into_cookies_and_nowhere_else(browser: APIClient) -> None:
    answer = sign_in(browser)
    assert answer.json() == {"expires_in": 300, "refresh_expires_in": 1209600}
    assert answer["Cache-Control"] == "no-store"
    set_here = {name: answer.cookies[name] for name in NAMES}
    for name, cookie in set_here.items():
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert not cookie["domain"]
        assert len(cookie.OutputString()) <= 4096
        assert cookie.value not in answer.content.decode(), name
    assert {name: (c["path"], c["max-age"]) for name, c in set_here.items()} == {
        "latchkey_access": ("/", 300),
        "latchkey_refresh": ("/", 1209600),
    }
    assert browser.get("/api/me/").json()["username"] == "ada"


def test_under_https_the_names_bind_the_cookies_to_this_host_and_to_https(
    browser: APIClient, settings: Any
) -> None:
    settings.TOKENS_COOKIE_SECURE = True
    answer = sign_in(browser)
    names = {"__Host-latchkey_access", "__Host-latchkey_refresh"}
    assert names <= answer.cookies.keys()
    for name in names:
        # RFC 6265bis §4.1.3.2: without these a browser drops a __Host- cookie.
        cookie = answer.cookies[name]
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
    assert browser.get("/api/me/").status_code == 200
    assert browser.post("/api/token/cookie/refresh/").status_code == 200
    gone = browser.post("/api/logout/").cookies
    assert {name: (gone[name]["max-age"], gone[name]["secure"]) for name in names} == dict.fromkeys(
        names, (0, True)
    )


@pytest.mark.parametrize("algorithm", ["HS512", "RS256", "EdDSA"])
def test_a_token_of_any_algorithm_fits(browser: APIClient, settings: Any, algorithm: str) -> None:
    settings.TOKENS_ALGORITHM = algorithm
    SigningKey.objects.all().delete()
    keyring.forget()
    keyring.ensure()
    answer = sign_in(browser)
    for name in NAMES:
        assert len(answer.cookies[name].OutputString()) <= 4096


def test_a_token_that_no_browser_would_keep_is_refused_before_a_row_exists(
    browser: APIClient, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TOKENS_CLAIMS_HOOK = "tests.wire.test_cookies.many_claims"
    answer = browser.post("/api/token/cookie/", CREDENTIALS)
    assert answer.status_code == 503
    assert "browsers keep at most 4096" in caplog.text
    assert not answer.cookies.get("latchkey_access")
    assert not Session.objects.exists()


def test_a_cookie_that_became_too_large_leaves_the_refresh_token_good(
    browser: APIClient, settings: Any
) -> None:
    sign_in(browser)
    settings.TOKENS_CLAIMS_HOOK = "tests.wire.test_cookies.many_claims"
    assert browser.post("/api/token/cookie/refresh/").status_code == 503
    assert Session.objects.get().generation == 0
    settings.TOKENS_CLAIMS_HOOK = None
    assert browser.post("/api/token/cookie/refresh/").status_code == 200


def many_claims(session: Session) -> dict[str, Any]:
    return {"roles": ["role" * 10] * 100}


def test_a_wrong_password_is_the_same_401_as_anywhere_and_sets_nothing(browser: APIClient) -> None:
    wrong = {**CREDENTIALS, "password": "wrong"}
    by_cookie, by_body = (
        browser.post("/api/token/cookie/", wrong),
        browser.post("/api/token/", wrong),
    )
    assert (by_cookie.status_code, by_cookie.json()) == (by_body.status_code, by_body.json())
    assert not NAMES & by_cookie.cookies.keys()


def test_cookie_sign_ins_count_towards_the_same_limit(browser: APIClient, settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "2/day"
    for _ in range(5):
        browser.get("/api/token/cookie/")
    wrong = {**CREDENTIALS, "password": "wrong"}
    assert browser.post("/api/token/", wrong).status_code == 401
    assert browser.post("/api/token/cookie/", wrong).status_code == 401
    answer = browser.post("/api/token/cookie/", CREDENTIALS)
    assert answer.status_code == 429
    assert answer["Retry-After"]


def test_refresh_moves_the_cookies_on(browser: APIClient) -> None:
    sign_in(browser)
    before = browser.cookies["latchkey_refresh"].value
    answer = browser.post("/api/token/cookie/refresh/")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer.json().keys() == {"expires_in", "refresh_expires_in"}
    assert answer.cookies.keys() == NAMES
    assert answer.cookies["latchkey_refresh"].value != before
    assert only_session().generation == 1
    assert browser.get("/api/me/").status_code == 200


def test_tabs_that_refresh_at_once_get_the_same_cookies(browser: APIClient) -> None:
    sign_in(browser)
    before = browser.cookies["latchkey_refresh"].value
    first = browser.post("/api/token/cookie/refresh/").cookies["latchkey_refresh"].value
    browser.cookies["latchkey_refresh"] = before
    assert browser.post("/api/token/cookie/refresh/").cookies["latchkey_refresh"].value == first
    assert only_session().ended_at is None


def test_a_refused_refresh_takes_the_cookies_away(browser: APIClient) -> None:
    sign_in(browser)
    sessions.end([only_session()], reason=EndReason.REVOKED)
    answer = browser.post("/api/token/cookie/refresh/")
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Token is blacklisted", "code": "token_not_valid"}
    assert {name: answer.cookies[name]["max-age"] for name in NAMES} == dict.fromkeys(NAMES, 0)


def test_refresh_without_its_cookie_is_refused_without_a_query(
    browser: APIClient, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        answer = browser.post("/api/token/cookie/refresh/")
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Authentication credentials were not provided."}


STALE = ["garbage", "a.b.c", "", "x" * 10_000]


@pytest.mark.parametrize("stale", STALE)
def test_a_stale_cookie_never_blocks_sign_in_refresh_or_sign_out(
    browser: APIClient, stale: str
) -> None:
    for name in NAMES:
        browser.cookies[name] = stale
    sign_in(browser)
    browser.cookies["latchkey_access"] = stale
    assert browser.post("/api/token/cookie/refresh/").status_code == 200
    browser.cookies["latchkey_access"] = stale
    assert browser.post("/api/logout/").status_code == 204
    assert only_session().ended_at is not None


@pytest.mark.parametrize(
    "bad",
    ["garbage", "a.b.c", "\0", r'"\000"', "\u00fc", r'"\374"', "..", "x" * 10_000],
)
def test_a_bad_cookie_is_an_invalid_token_and_is_taken_away(browser: APIClient, bad: str) -> None:
    # As a header: http.cookies itself refuses control characters in newer versions of Python.
    answer = browser.get("/api/me/", HTTP_COOKIE=f"latchkey_access={bad}")
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_not_valid"
    assert answer["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'
    assert answer.cookies["latchkey_access"]["max-age"] == 0
    answer = browser.get("/api/me/")
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.urls("tests.wire.test_cookies")
def test_a_bad_cookie_stands_in_the_way_of_an_open_page_once(browser: APIClient) -> None:
    browser.cookies["latchkey_access"] = "garbage"
    assert browser.get("/api/open/").status_code == 401
    assert browser.get("/api/open/").json() == {"user": "AnonymousUser"}


@pytest.mark.urls("tests.wire.test_cookies")
@pytest.mark.parametrize("by_header", [True, False])
def test_an_optional_token_never_stands_in_the_way(browser: APIClient, by_header: bool) -> None:
    sign_in(browser)
    assert browser.get("/api/open/to-all/").json() == {"user": "ada"}
    if by_header:
        browser.credentials(HTTP_AUTHORIZATION="Bearer garbage")
    else:
        browser.cookies["latchkey_access"] = "garbage"
    assert browser.get("/api/open/to-all/").json() == {"user": "AnonymousUser"}


def test_an_answer_by_cookie_is_in_no_shared_cache(browser: APIClient) -> None:
    sign_in(browser)
    assert "Cookie" in browser.get("/api/me/")["Vary"]
    # Nor is the refusal, or a cache could return it to a client that sends a cookie.
    assert "Cookie" in APIClient().get("/api/me/")["Vary"]


def test_the_header_decides_where_there_are_both(browser: APIClient, user: Any) -> None:
    sign_in(browser)
    by_header = sessions.start(user)
    current = browser.get("/api/sessions/", HTTP_AUTHORIZATION=f"Bearer {by_header.raw_access}")
    assert [row["current"] for row in current.json()["results"]] == [True, False]
    browser.credentials(HTTP_AUTHORIZATION="Bearer garbage")
    answer = browser.get("/api/me/")
    assert answer.status_code == 401
    assert "latchkey_access" not in answer.cookies
    browser.credentials(HTTP_AUTHORIZATION="Basic YTpi")
    assert browser.get("/api/me/").status_code == 200


def test_an_expired_access_cookie_is_no_longer_sent_and_the_rest_goes_on(
    browser: APIClient, user: Any
) -> None:
    answer = HttpResponse()
    now = datetime.now(UTC)
    pair = sessions.start(user, now=now - timedelta(minutes=10))
    cookies.set_pair(answer, replace(pair, answered_at=now))
    assert answer.cookies["latchkey_access"]["max-age"] == 0
    browser.cookies["latchkey_refresh"] = answer.cookies["latchkey_refresh"].value
    assert browser.post("/api/token/cookie/refresh/").status_code == 200


def test_ending_another_session_by_cookie(browser: APIClient, user: Any) -> None:
    sign_in(browser)
    other = sessions.start(user)
    assert browser.delete(f"/api/sessions/{other.session.pk}/").status_code == 204
    other.session.refresh_from_db()
    assert other.session.ended_at is not None


def test_the_admins_session_signs_no_user_in_to_the_api(browser: APIClient, user: Any) -> None:
    browser.force_login(user)
    assert "sessionid" in browser.cookies
    assert browser.get("/api/me/").status_code == 401

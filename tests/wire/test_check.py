"""``GET /api/token/check/``, which a gateway asks before it passes a request on."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from tests.wire.conftest import credentials_of, sign_in
from tokens import sessions
from tokens.models import EndReason

CHECK = "/api/token/check/"
USER, SESSION = "X-Auth-Request-User", "X-Auth-Request-Session"
CHALLENGE = 'Bearer realm="api"'
INVALID = f'{CHALLENGE}, error="invalid_token"'


def assert_refused(answer: Any, challenge: str) -> None:
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer["WWW-Authenticate"] == challenge
    assert "Content-Type" not in answer.headers
    assert answer["Cache-Control"] == "no-store"
    assert USER not in answer.headers
    assert SESSION not in answer.headers


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("accept", ["text/html", "image/avif,image/*", "application/json", "x"])
def test_a_good_token_brings_the_ids_of_user_and_session_and_no_body(
    bearer: Callable[[str], APIClient], user: Any, accept: str, method: str
) -> None:
    pair = sessions.start(user)
    answer = getattr(bearer(pair.raw_access), method)(CHECK, HTTP_ACCEPT=accept)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer[USER] == str(user.pk)
    assert UUID(answer[SESSION]) == pair.session.pk
    assert answer["Cache-Control"] == "no-store"
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json"])
def test_without_a_token_the_answer_is_the_challenge_alone(
    api: APIClient, db: None, accept: str, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert_refused(api.get(CHECK, HTTP_ACCEPT=accept), CHALLENGE)


def test_a_refused_token_is_told_from_none(
    bearer: Callable[[str], APIClient], user: Any, expired: sessions.TokenPair
) -> None:
    ended = sessions.start(user)
    sessions.end([ended.session], reason=EndReason.REVOKED)
    for raw_token in ("garbage", expired.raw_access, ended.raw_access, ended.raw_refresh, "a b"):
        assert_refused(bearer(raw_token).get(CHECK), INVALID)
    assert_refused(APIClient(HTTP_AUTHORIZATION="Basic YTpi").get(CHECK), CHALLENGE)


def test_a_session_that_ends_is_refused_at_the_next_request(
    bearer: Callable[[str], APIClient], user: Any, django_assert_num_queries: Any
) -> None:
    pair = sessions.start(user)
    client = bearer(pair.raw_access)
    with django_assert_num_queries(1):
        assert client.get(CHECK).status_code == 204
    sessions.end([pair.session], reason=EndReason.REVOKED)
    assert_refused(client.get(CHECK), INVALID)


def test_the_cookie_counts_like_the_header(browser: APIClient, user: Any) -> None:
    sign_in(browser)
    browser.credentials()
    answer = browser.get(CHECK)
    assert (answer.status_code, answer[USER]) == (204, str(user.pk))
    assert "Cookie" in answer["Vary"]
    browser.cookies["latchkey_access"] = "garbage"
    answer = browser.get(CHECK)
    assert_refused(answer, INVALID)
    assert answer.cookies["latchkey_access"]["max-age"] == 0


def test_the_header_decides_where_there_are_both(browser: APIClient) -> None:
    sign_in(browser)
    browser.credentials(HTTP_AUTHORIZATION="Bearer garbage")
    assert_refused(browser.get(CHECK), INVALID)


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_METHOD", "HTTP_X_ORIGINAL_METHOD"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "post", "PURGE", ""])
def test_a_cookie_needs_the_csrf_token_if_the_request_behind_it_changes_something(
    browser: APIClient, header: str, method: str
) -> None:
    sign_in(browser)
    csrf = credentials_of(browser)
    browser.credentials(**csrf, **{header: method})
    assert browser.get(CHECK).status_code == 204
    for headers in (
        {},
        {"HTTP_X_CSRFTOKEN": "x" * 64},
        {**csrf, "HTTP_ORIGIN": "https://evil.example"},
    ):
        # A client may send the name that the gateway does not use.
        other = {"HTTP_X_FORWARDED_METHOD": "GET", "HTTP_X_ORIGINAL_METHOD": "GET"}
        browser.credentials(**{**other, **headers, header: method})
        answer = browser.get(CHECK)
        assert (answer.status_code, answer.content) == (403, b"")
        assert USER not in answer.headers


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "get"])
def test_reading_by_cookie_needs_no_csrf_token(browser: APIClient, method: str) -> None:
    sign_in(browser)
    browser.credentials(HTTP_X_FORWARDED_METHOD=method, HTTP_ORIGIN="https://evil.example")
    assert browser.get(CHECK).status_code == 204


def test_a_bearer_token_never_needs_the_csrf_token(user: Any) -> None:
    client = APIClient(enforce_csrf_checks=True)
    headers = {
        "HTTP_AUTHORIZATION": f"Bearer {sessions.start(user).raw_access}",
        "HTTP_X_FORWARDED_METHOD": "POST",
    }
    client.credentials(**headers)
    assert client.get(CHECK).status_code == 204


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_other_methods_have_no_body_either(api: APIClient, db: None, method: str) -> None:
    answer = getattr(api, method)(CHECK, HTTP_ACCEPT="text/html")
    assert (answer.status_code, answer.content) == (405, b"")


def test_a_key_of_any_characters_is_a_header(
    monkeypatch: pytest.MonkeyPatch, bearer: Callable[[str], APIClient], user: Any
) -> None:
    raw_access = sessions.start(user).raw_access
    found = sessions.authenticate(raw_access)
    found = replace(found, claims=replace(found.claims, sub="a@b.org\r\nX: ü%"))
    monkeypatch.setattr("tokens.sessions.authenticate", lambda raw_access: found)
    assert bearer(raw_access).get(CHECK)[USER] == "a@b.org%0D%0AX:%20%C3%BC%25"


def test_a_failure_of_the_server_says_when_to_ask_again(
    monkeypatch: pytest.MonkeyPatch, bearer: Callable[[str], APIClient], user: Any
) -> None:
    def fail(raw_access: str) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("tokens.sessions.authenticate", fail)
    answer = bearer("a.b.c").get(CHECK)
    assert (answer.status_code, answer.content, answer["Retry-After"]) == (503, b"", "5")

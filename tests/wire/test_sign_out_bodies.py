"""What takes a token back does so whatever the body looks like: nobody is kept signed in by it."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from rest_framework.test import APIClient

from tests.wire.conftest import sign_in
from tokens import sessions
from tokens.models import Session

SIGN_OUTS = ["/api/logout/", "/api/logout/all/"]

# Bodies without a token, and with a media type that fits, does not fit or is missing.
BODIES = [
    *((f'{{"refresh": {value}}}', "application/json") for value in ("null", '""', "[]", "1", "{}")),
    *((body, "application/json") for body in ("", "{", "[]", "null", "\x00")),
    *((body, "text/plain") for body in ("", "bye", '{"refresh": null}')),
    *((body, "text/plain;charset=UTF-8") for body in ("bye", '{"refresh": ""}')),
    *((body, "") for body in ("", "{}", "bye", "refresh=")),
    ("refresh=", "application/x-www-form-urlencoded"),
    ("<a/>", "application/xml"),
    ("x", "nonsense"),
    ("x", "multipart/form-data"),
    ("x", "a" * 300),
]


def post(api: APIClient, path: str, body: str, content_type: str, **headers: Any) -> Any:
    return api.generic("POST", path, body, content_type, **headers)


@pytest.mark.parametrize(("body", "content_type"), BODIES)
@pytest.mark.parametrize("path", SIGN_OUTS)
def test_a_good_access_token_signs_out_with_any_body(
    api: APIClient, user: Any, path: str, body: str, content_type: str
) -> None:
    pair = sessions.start(user)
    bearer: Any = {"HTTP_AUTHORIZATION": f"Bearer {pair.raw_access}"}
    assert post(api, path, body, content_type, **bearer).status_code == 204
    assert Session.objects.get().ended_at is not None


@pytest.mark.parametrize(("body", "content_type"), BODIES)
def test_without_a_token_such_a_body_is_refused(
    api: APIClient, user: Any, body: str, content_type: str
) -> None:
    sessions.start(user)
    for path in SIGN_OUTS:
        answer = post(api, path, body, content_type)
        assert answer.status_code in {400, 401, 415}, answer.content
        assert answer["Content-Type"] == "application/json"
    assert Session.objects.get().ended_at is None


def test_an_expired_access_token_and_no_refresh_token_are_told_so(
    api: APIClient, expired: Any
) -> None:
    bearer: Any = {"HTTP_AUTHORIZATION": f"Bearer {expired.raw_access}"}
    for body in ('{"refresh": null}', '{"refresh": ""}', ""):
        answer = post(api, "/api/logout/", body, "application/json", **bearer)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")


def test_a_sign_out_by_cookie_may_have_an_empty_token_too(browser: APIClient) -> None:
    sign_in(browser)
    assert browser.post("/api/logout/", {"refresh": None}).status_code == 204
    assert Session.objects.get().ended_at is not None


TAKING_BACK = {
    "/api/logout/": ("refresh", 204),
    "/api/logout/all/": ("refresh", 204),
    "/api/token/revoke/": ("token", 200),
    "/api/token/blacklist/": ("refresh", 200),
}


@pytest.mark.parametrize("media_type", ["text/plain;charset=UTF-8", "", "application/octet-stream"])
@pytest.mark.parametrize("encode", [json.dumps, urlencode])
@pytest.mark.parametrize("path", TAKING_BACK)
def test_a_token_is_found_in_a_body_of_any_media_type(
    api: APIClient, user: Any, path: str, encode: Any, media_type: str
) -> None:
    pair = sessions.start(user)
    member, status = TAKING_BACK[path]
    answer = post(api, path, encode({member: pair.raw_refresh}), media_type)
    assert answer.status_code == status, answer.content
    assert Session.objects.get().ended_at is not None


@pytest.mark.parametrize("path", ["/api/token/revoke/", "/api/token/blacklist/"])
@pytest.mark.parametrize("body", ["", "a=b", "{}", '{"token": null, "refresh": ""}'])
def test_a_body_without_a_token_names_the_field(api: APIClient, path: str, body: str) -> None:
    answer = post(api, path, body, "text/plain")
    assert (answer.status_code, set(answer.json())) == (400, {TAKING_BACK[path][0]})


@pytest.mark.parametrize("path", ["/api/token/revoke/", "/api/token/blacklist/"])
@pytest.mark.parametrize("body", ["bye", "[1]", "[" * 100_000, "\x00", "<a/>"])
def test_a_body_that_holds_nothing_is_of_an_unsupported_type(
    api: APIClient, path: str, body: str
) -> None:
    assert post(api, path, body, "text/plain").status_code == 415


def test_a_body_of_any_type_has_the_same_limit(api: APIClient, db: None) -> None:
    assert post(api, "/api/token/revoke/", "a" * 3_000_000, "text/plain").status_code == 413


def test_a_sign_in_takes_its_own_media_types_only(api: APIClient, db: None) -> None:
    """A page elsewhere can send text/plain without asking first."""
    for path in ("/api/token/", "/api/token/refresh/"):
        assert post(api, path, '{"refresh": "x"}', "text/plain").status_code == 415

"""Signing out by cookie."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.wire.conftest import sign_in
from tests.wire.test_cookies import NAMES, only_session
from tokens import sessions
from tokens.models import EndReason, Session


@pytest.mark.parametrize("access_is_there", [True, False])
def test_signing_out_ends_the_session_and_takes_the_cookies_away(
    browser: APIClient, access_is_there: bool
) -> None:
    sign_in(browser)
    raw_access = browser.cookies["latchkey_access"].value
    if not access_is_there:
        del browser.cookies["latchkey_access"]
    answer = browser.post("/api/logout/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert {name: answer.cookies[name]["max-age"] for name in NAMES} == dict.fromkeys(NAMES, 0)
    assert only_session().end_reason == EndReason.LOGOUT
    elsewhere = APIClient()
    assert elsewhere.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {raw_access}").status_code == 401


def test_signing_out_everywhere_by_cookie(browser: APIClient, user: Any) -> None:
    other = sessions.start(user)
    sign_in(browser)
    assert browser.post("/api/logout/all/").status_code == 204
    assert not Session.objects.filter(ended_at=None).exists()
    with pytest.raises(Exception, match="ended"):
        sessions.authenticate(other.raw_access)


def test_signing_out_with_nothing_but_stale_cookies_forgets_them(browser: APIClient) -> None:
    sign_in(browser)
    sessions.end([only_session()], reason=EndReason.REVOKED)
    answer = browser.post("/api/logout/")
    assert answer.status_code == 204
    assert answer.cookies["latchkey_access"]["max-age"] == 0


def test_signing_out_everywhere_with_nothing_but_stale_cookies_does_not_claim_it_did(
    browser: APIClient, user: Any
) -> None:
    sign_in(browser)
    sessions.end([only_session()], reason=EndReason.REVOKED)
    other = sessions.start(user)
    answer = browser.post("/api/logout/all/")
    assert answer.status_code == 401
    assert answer.cookies["latchkey_access"]["max-age"] == 0
    sessions.authenticate(other.raw_access)


def test_signing_out_by_header_leaves_the_cookies_alone(browser: APIClient, user: Any) -> None:
    sign_in(browser)
    by_header = sessions.start(user)
    browser.credentials(HTTP_AUTHORIZATION=f"Bearer {by_header.raw_access}")
    answer = browser.post("/api/logout/")
    assert (answer.status_code, len(answer.cookies)) == (204, 0)
    browser.credentials()
    assert browser.get("/api/me/").status_code == 200

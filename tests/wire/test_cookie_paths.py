"""Cookies where the project has the API below a language or a version."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.wire.conftest import CREDENTIALS
from tests.wire.test_cookies import NAMES, only_session


@pytest.fixture
def browser_below(user: Any, settings: Any) -> Callable[[str], APIClient]:
    """Return a function that returns a browser which has the CSRF token of the API at this prefix."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]

    def open_browser(prefix: str) -> APIClient:
        client = APIClient(enforce_csrf_checks=True)
        token = client.get(f"{prefix}/api/token/cookie/").json()["csrf_token"]
        client.credentials(HTTP_X_CSRFTOKEN=token)
        return client

    return open_browser


@pytest.mark.urls("tests.wire.several_prefixes")
@pytest.mark.parametrize(("here", "there"), [("/en", "/de"), ("/v1", "/v2"), ("/en", "/v1")])
def test_cookies_are_sent_to_every_language_and_version_of_the_api(
    browser_below: Callable[[str], APIClient], here: str, there: str
) -> None:
    browser = browser_below(here)
    answer = browser.post(f"{here}/api/token/cookie/", CREDENTIALS)
    assert answer.status_code == 200
    assert {answer.cookies[name]["path"] for name in NAMES} == {"/"}
    browser.credentials(HTTP_X_CSRFTOKEN=browser.cookies["csrftoken"].value)
    assert browser.post(f"{there}/api/token/cookie/refresh/").status_code == 200
    gone = browser.post(f"{there}/api/logout/")
    assert {(gone.cookies[name]["path"], gone.cookies[name]["max-age"]) for name in NAMES} == {
        ("/", 0)
    }
    assert only_session().ended_at is not None

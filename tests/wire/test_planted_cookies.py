"""A cookie that another host of the domain can set is never taken for one of this site's."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.wire.conftest import sign_in
from tokens import sessions
from tokens.models import Session

# What goes before the name so that a browser does not see the prefix, or lets it pass without HTTPS.
# Bytes of UTF-8, as a server passes them to the application: one character per byte.
DISGUISES = [
    "",
    "__Secure-",
    "\u2000__Host-",
    "\u3000__Host-",
    "\xa0__Host-",
    "\x85__Host-",
    "\x1f__Host-",
    "$Version=1,__Host-",
    "=__Host-",
    '"__Host-',
    "__host-",
    "__HOST-",
]


@pytest.fixture(autouse=True)
def _https(settings: Any) -> None:
    settings.TOKENS_COOKIE_SECURE = True


@pytest.fixture
def planted(django_user_model: Any) -> sessions.TokenPair:
    """Return the attacker's own pair."""
    return sessions.start(django_user_model.objects.create_user("mallory"))


def send(client: APIClient, method: str, path: str, *more: str) -> Any:
    """Send the client's cookies and then ``more``, as a browser does."""
    own = [f"{name}={morsel.value}" for name, morsel in client.cookies.items()]
    header = "; ".join([*own, *more]).encode().decode("latin-1")
    return client.generic(method, path, HTTP_COOKIE=header)


def plant(pair: sessions.TokenPair, disguise: str) -> list[str]:
    return [
        f"{disguise}latchkey_access={pair.raw_access}",
        f"{disguise}latchkey_refresh={pair.raw_refresh}",
        f"{disguise}latchkey_logout={pair.raw_refresh}",
    ]


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_planted_cookie_signs_no_user_in(
    browser: APIClient, planted: sessions.TokenPair, disguise: str
) -> None:
    cookies = plant(planted, disguise)
    assert send(browser, "GET", "/api/me/", *cookies).status_code == 401
    assert send(browser, "POST", "/api/token/cookie/refresh/", *cookies).status_code == 401
    assert send(browser, "POST", "/api/logout/", *cookies).status_code == 401
    assert Session.objects.get().ended_at is None


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_planted_cookie_does_not_replace_that_of_the_user(
    browser: APIClient, planted: sessions.TokenPair, disguise: str
) -> None:
    sign_in(browser)
    cookies = plant(planted, disguise)
    assert send(browser, "GET", "/api/me/", *cookies).json()["username"] == "ada"
    answer = send(browser, "POST", "/api/token/cookie/refresh/", *cookies)
    assert answer.status_code == 200
    browser.cookies.update(answer.cookies)
    assert send(browser, "GET", "/api/me/", *cookies).json()["username"] == "ada"
    assert send(browser, "POST", "/api/logout/", *cookies).status_code == 204
    assert list(Session.objects.filter(ended_at=None)) == [planted.session]


def test_the_newest_of_two_cookies_with_one_name_counts(
    browser: APIClient, planted: sessions.TokenPair, settings: Any
) -> None:
    """Without a prefix, a browser sends the cookie of the longer path, an older one, first."""
    settings.TOKENS_COOKIE_SECURE = False
    sign_in(browser)
    own = browser.cookies["latchkey_access"].value
    header = f'latchkey_access={planted.raw_access};latchkey_access="{own}"\t; other=1'
    answer = browser.get("/api/me/", HTTP_COOKIE=header)
    assert answer.json()["username"] == "ada"

"""A browser that signed in at one language or version refreshes and signs out at another."""

from types import ModuleType
from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path, re_path
from rest_framework.test import APIClient

from tests.conftest import PASSWORD

OURS = include("tokens.urls")

PLACES: dict[str, tuple[list[Any], str, str]] = {
    "languages": (i18n_patterns(path("api/", OURS)), "/en/api/", "/de/api/"),
    "no prefix for the default language": (
        i18n_patterns(path("api/", OURS), prefix_default_language=False),
        "/api/",
        "/de/api/",
    ),
    "versions": ([path("api/<str:version>/", OURS)], "/api/v1/", "/api/v2/"),
    "versions by expression": ([re_path("^api/(?P<version>v[12])/", OURS)], "/api/v1/", "/api/v2/"),
    "versions by place": (
        [
            path("api/v1/", include(("tokens.urls", "v1"))),
            path("api/v2/", include(("tokens.urls", "v2"))),
        ],
        "/api/v1/",
        "/api/v2/",
    ),
}


class Browser(APIClient):
    """Sends a cookie to the addresses below its path only, as browsers do."""

    def generic(  # type: ignore[override]
        self, method: str, path: str, *args: Any, **extra: Any
    ) -> Any:
        kept = self.cookies.copy()
        for name, cookie in kept.items():
            if not path.startswith(cookie["path"]):
                del self.cookies[name]
        answer = super().generic(method, path, *args, **extra)
        for name, cookie in kept.items():
            self.cookies.setdefault(name, cookie)
        return answer


@pytest.fixture(params=PLACES.values(), ids=list(PLACES))
def places(request: Any, settings: Any) -> tuple[str, str]:
    """Include the routes as a project may, and return two prefixes below which they are."""
    patterns, here, there = request.param
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.locale.LocaleMiddleware"]
    settings.LANGUAGE_CODE = "en"
    settings.ROOT_URLCONF = ModuleType("urlconf")
    settings.ROOT_URLCONF.urlpatterns = patterns
    return here, there


def test_cookies_work_in_every_language_and_version(user: Any, places: tuple[str, str]) -> None:
    (here, there), browser = places, Browser()
    body = {"username": "ada", "password": PASSWORD}
    assert browser.post(f"{here}token/cookie/", body).status_code == 200
    assert browser.post(f"{there}token/cookie/refresh/").status_code == 200
    del browser.cookies["latchkey_access"]
    assert browser.post(f"{there}logout/").status_code == 204
    assert browser.post(f"{here}token/cookie/refresh/").status_code == 401


def test_the_sign_in_page_works_in_every_language_and_version(
    user: Any, places: tuple[str, str]
) -> None:
    (_, there), browser = places, Browser()
    page = browser.get(f"{there}login/").content.decode()
    assert f'action="{there}login/"' in page
    body = {"username": "ada", "password": PASSWORD}
    answer = browser.post(f"{there}login/", body, format="multipart")
    assert answer["Location"] == f"{there}sessions/"
    page = browser.get(answer["Location"], HTTP_ACCEPT="text/html").content.decode()
    assert f'data-refresh="{there}token/cookie/refresh/"' in page
    assert browser.post(f"{there}logout/page/")["Location"] == f"{there}login/?signed-out"

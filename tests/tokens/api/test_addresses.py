"""The app finds its own addresses wherever a project puts them, and its names are its own."""

from types import ModuleType
from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.http import HttpRequest, HttpResponse
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from django.urls import include, path, re_path, resolve, set_script_prefix
from django.utils import translation
from rest_framework.settings import api_settings

from tokens import urls, well_known_urls
from tokens.api import addresses, password_urls

OURS = "tokens.urls"


def page(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return HttpResponse("a page of the project")


ABOUT = path("about/", page)


def urlconf(*patterns: Any) -> ModuleType:
    module = ModuleType("urlconf")
    module.urlpatterns = list(patterns)  # type: ignore[attr-defined]
    return module


def request_to(address: str) -> HttpRequest:
    request = RequestFactory().get(address)
    request.resolver_match = resolve(address)
    return request


def test_every_name_is_simplejwts_or_begins_with_the_apps() -> None:
    names = {
        str(route.name)
        for module in (urls, well_known_urls, password_urls)
        for route in module.urlpatterns
    }
    assert {name for name in names if not name.startswith("tokens_")} == set(addresses.SIMPLEJWT)


PLACES: dict[str, tuple[list[Any], str, str]] = {
    "no prefix": ([path("", include(OURS))], "/about/", "/sessions/"),
    "a prefix": ([path("api/", include(OURS))], "/about/", "/api/sessions/"),
    "a namespace": (
        [path("api/", include((OURS, "tokens"), namespace="auth"))],
        "/about/",
        "/api/sessions/",
    ),
    "nested namespaces": (
        [path("a/", include(([path("b/", include((OURS, "inner")))], "outer")))],
        "/about/",
        "/a/b/sessions/",
    ),
    "a version": (
        [path("api/<str:version>/", include([path("", include(OURS)), ABOUT]))],
        "/api/v2/about/",
        "/api/v2/sessions/",
    ),
    "a converted parameter": (
        [path("<int:tenant>/", include([path("", include(OURS)), ABOUT]))],
        "/7/about/",
        "/7/sessions/",
    ),
    "a parameter of the page only": (
        [path("api/", include(OURS)), path("<int:article>/about/", page)],
        "/7/about/",
        "/api/sessions/",
    ),
    "a regular expression": (
        [re_path(r"^api/(?P<version>v[12])/", include([path("", include(OURS)), ABOUT]))],
        "/api/v1/about/",
        "/api/v1/sessions/",
    ),
    "a group without a name": (
        [re_path(r"^api/(v[12])/", include([path("", include(OURS)), re_path("^about/$", page)]))],
        "/api/v1/about/",
        "/api/v1/sessions/",
    ),
    "the nearest of two namespaces": (
        [
            path("v1/", include(([path("", include(OURS)), ABOUT], "v1"))),
            path("v2/", include(([path("", include(OURS)), ABOUT], "v2"))),
        ],
        "/v2/about/",
        "/v2/sessions/",
    ),
    "languages": (
        i18n_patterns(path("api/", include(OURS)), ABOUT),
        "/de/about/",
        "/de/api/sessions/",
    ),
}


@pytest.mark.parametrize(("patterns", "address", "expected"), PLACES.values(), ids=list(PLACES))
def test_an_address_is_found_from_any_page(
    settings: Any, patterns: list[Any], address: str, expected: str
) -> None:
    settings.ROOT_URLCONF = urlconf(*patterns, ABOUT)
    with translation.override("de" if address.startswith("/de/") else "en"):
        request = request_to(address)
        assert addresses.find("tokens_sessions", request) == expected
        sid = "0" * 8 + "-0000-4000-8000-" + "0" * 12
        assert addresses.find("tokens_session", request, sid=sid) == f"{expected}{sid}/"


def test_a_page_without_a_version_links_to_the_default_version(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ROOT_URLCONF = urlconf(path("api/<str:version>/", include(OURS)), ABOUT)
    request = request_to("/about/")
    assert addresses.find("tokens_sessions", request) is None
    assert addresses.find("tokens_sessions") is None
    monkeypatch.setattr(api_settings, "ALLOWED_VERSIONS", ["v3", "v4"])
    assert addresses.find("tokens_sessions", request) == "/api/v3/sessions/"
    monkeypatch.setattr(api_settings, "DEFAULT_VERSION", "v4")
    assert addresses.find("tokens_sessions", request) == "/api/v4/sessions/"


def test_a_route_that_the_project_does_not_include_is_not_found(settings: Any) -> None:
    settings.ROOT_URLCONF = urlconf(ABOUT)
    assert addresses.find("tokens_sessions", request_to("/about/")) is None


def test_an_address_begins_with_the_prefix_of_the_server(settings: Any) -> None:
    settings.ROOT_URLCONF = urlconf(path("api/", include(OURS)))
    set_script_prefix("/below/")
    try:
        assert addresses.find("tokens_cookie") == "/below/api/token/cookie/"
    finally:
        set_script_prefix("/")


def test_a_template_links_to_an_address_or_to_none(settings: Any) -> None:
    settings.ROOT_URLCONF = urlconf(
        path("api/<str:version>/", include([path("", include(OURS)), ABOUT]))
    )
    template = Template("{% load tokens_addresses %}{% tokens_address 'tokens_sessions' %}")
    request = request_to("/api/v2/about/")
    assert template.render(Context({"request": request})) == "/api/v2/sessions/"
    # Without Django's context processor the context has the request as an attribute only.
    assert template.render(RequestContext(request, {})) == "/api/v2/sessions/"
    assert template.render(Context()) == ""

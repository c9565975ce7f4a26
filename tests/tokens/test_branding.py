"""Pages and mail call the site what the project calls it, and lead to its home page."""

from types import ModuleType
from typing import Any

import pytest
from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import path, set_script_prefix

from tokens import branding


@pytest.fixture
def request_to_shop(settings: Any) -> HttpRequest:
    settings.TOKENS_SITE_NAME = ""
    settings.ALLOWED_HOSTS = ["*", ".example.org", "other.example"]
    return RequestFactory().get("/", HTTP_HOST="shop.example.org")


def test_the_name_of_the_setting_is_taken(settings: Any, request_to_shop: HttpRequest) -> None:
    settings.TOKENS_SITE_NAME = "Acme"
    assert branding.site_name(request_to_shop) == branding.site_name() == "Acme"


def test_without_it_pages_show_the_host_and_mail_a_host_that_no_client_chose(
    settings: Any, request_to_shop: HttpRequest
) -> None:
    assert branding.site_name(request_to_shop) == "shop.example.org"
    assert branding.site_name() == "example.org"
    settings.ALLOWED_HOSTS = ["*"]
    assert branding.site_name() == "this site"


@pytest.fixture
def known_sites(settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[Any, str]:
    """Install the framework of sites, which has the returned names by the host or for SITE_ID."""
    from django.core.exceptions import ObjectDoesNotExist

    names: dict[Any, str] = {}

    def get_current_site(request: HttpRequest | None) -> Any:
        key = request.get_host() if request else settings.SITE_ID
        if key not in names:
            raise ObjectDoesNotExist
        site = ModuleType("site")
        site.name = names[key]  # type: ignore[attr-defined]
        return site

    monkeypatch.setattr(apps, "is_installed", lambda name: name == "django.contrib.sites")
    monkeypatch.setattr(branding, "get_current_site", get_current_site)
    return names


def test_the_name_of_the_current_site_is_taken_if_there_is_one(
    settings: Any, request_to_shop: HttpRequest, known_sites: dict[Any, str]
) -> None:
    assert branding.site_name(request_to_shop) == "shop.example.org"
    assert branding.site_name() == "example.org"  # There is no SITE_ID.
    settings.SITE_ID = 7
    assert branding.site_name() == "example.org"
    known_sites.update({"shop.example.org": "The shop", 7: "The seventh"})
    assert branding.site_name(request_to_shop) == "The shop"
    assert branding.site_name() == "The seventh"


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a page")


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("shop", "/shop/"),
        ("/about/", "/about/"),
        ("https://www.example.org/", "https://www.example.org/"),
        ("no-such-route", ""),
        ("", ""),
    ],
)
def test_the_home_page_is_a_route_or_a_url(settings: Any, setting: str, url: str) -> None:
    urlconf: Any = ModuleType("urlconf")
    urlconf.urlpatterns = [path("shop/", page, name="shop")]
    settings.ROOT_URLCONF = urlconf
    settings.TOKENS_HOME_URL = setting
    assert branding.home_url() == url


def test_by_default_the_home_page_is_the_first_page_if_the_project_has_one(settings: Any) -> None:
    request = RequestFactory().get("/")
    assert branding.home_url(request) == "/"
    try:
        set_script_prefix("/site/")
        assert branding.home_url(request) == "/site/"
    finally:
        set_script_prefix("/")
    urlconf: Any = ModuleType("urlconf")
    urlconf.urlpatterns = []
    request.urlconf = urlconf  # type: ignore[attr-defined]
    assert branding.home_url(request) == ""

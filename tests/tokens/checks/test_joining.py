"""A project that forgot a step of docs/installing.md is told which one."""

import importlib
from datetime import timedelta
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from django.contrib.admin import AdminSite
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import DatabaseError
from django.http import HttpRequest
from django.urls import include, path
from rest_framework.views import APIView, exception_handler

import tokens.api.exception_handler
from tests.tokens.checks.conftest import found
from tokens import checks, keyring
from tokens.admin.passwords import protect_passwords
from tokens.admin.users import extend
from tokens.api import exception_handler as module
from tokens.api.django_sessions import DjangoSessionMiddleware
from tokens.api.exception_handler import exception_handler as ours
from tokens.api.middleware import ClientMiddleware, TokenCookieMiddleware
from tokens.errors import TooManyAttempts

pytestmark = pytest.mark.django_db

APP_ROUTES = path("api/", include("tokens.urls"))
JWKS = path(".well-known/", include("tokens.well_known_urls"))


def urlconf(*patterns: Any) -> Any:
    made: Any = ModuleType("urlconf")
    made.urlpatterns = list(patterns)
    return made


# Routes and pages


@pytest.mark.parametrize(
    ("patterns", "ids"),
    [
        ([], ["tokens.W049"]),
        ([JWKS], ["tokens.W049"]),
        ([JWKS, path("api/", include("tokens.api.me_urls"))], []),
        ([APP_ROUTES], []),
        ([path("v1/", include([APP_ROUTES]))], []),
    ],
)
def test_a_project_without_the_apps_routes_is_told(
    settings: Any, patterns: list[Any], ids: list[str]
) -> None:
    settings.ROOT_URLCONF = urlconf(*patterns)
    assert list(found()) == ids


def test_routes_to_views_under_simplejwts_names_suffice(settings: Any) -> None:
    base: Any = type(
        "TokenViewBase", (APIView,), {"__module__": "tokens.simplejwt_names.names.views"}
    )
    own: Any = type("OwnTokenView", (base,), {"__module__": "shop.views"})
    settings.ROOT_URLCONF = urlconf(path("auth/", own.as_view()))
    assert "tokens.W049" not in [message.id for message in checks.check_routes()]
    other: Any = type("OwnTokenView", (APIView,), {"__module__": "shop.views"})
    settings.ROOT_URLCONF = urlconf(path("auth/", other.as_view()))
    assert "tokens.W049" in [message.id for message in checks.check_routes()]


def test_a_project_without_any_urlconf_is_told(settings: Any) -> None:
    settings.ROOT_URLCONF = None
    assert [message.id for message in checks.check_routes()] == ["tokens.W049"]


def test_public_keys_without_a_route_are_reported(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ROOT_URLCONF = urlconf(APP_ROUTES)
    assert list(found()) == []
    call_command("rotate_secret", "--algorithm", "ES256", verbosity=0)
    assert list(found()) == ["tokens.W050"]
    settings.ROOT_URLCONF = urlconf(APP_ROUTES, JWKS)
    assert list(found()) == []
    settings.ROOT_URLCONF = urlconf(APP_ROUTES)

    def unavailable() -> Any:
        raise DatabaseError

    monkeypatch.setattr(keyring, "jwks", unavailable)
    assert checks.check_routes() == []


def test_pages_without_templates_are_reported(settings: Any) -> None:
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "APP_DIRS": False}]
    message = found()["tokens.W051"]
    assert "tokens/login.html" in message.msg
    settings.ROOT_URLCONF = urlconf(JWKS)
    assert checks.check_pages() == []  # Nobody would see one.


def test_pages_without_drfs_template_tags_are_reported(settings: Any) -> None:
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name != "rest_framework"]
    assert [message.id for message in checks.check_pages()] == ["tokens.W051"]


def test_pages_without_static_files_are_reported(settings: Any) -> None:
    settings.INSTALLED_APPS = [
        name for name in settings.INSTALLED_APPS if "staticfiles" not in name
    ]
    assert [message.id for message in checks.check_pages()] == ["tokens.W052"]


# Settings that name classes


class AllInOneMiddleware(TokenCookieMiddleware, DjangoSessionMiddleware, ClientMiddleware):
    pass


def a_middleware(get_response: Any) -> Any:
    return get_response


def test_a_subclass_of_a_middleware_counts_as_the_middleware(settings: Any) -> None:
    settings.MIDDLEWARE = [
        f"{__name__}.a_middleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        f"{__name__}.AllInOneMiddleware",
        "no.such.Middleware",
    ]
    ids = {"tokens.W011", "tokens.W012", "tokens.W014"}
    messages = [*checks.check_deployment(), *checks.check_sign_in()]
    assert ids.isdisjoint(message.id for message in messages)
    settings.MIDDLEWARE.remove(f"{__name__}.AllInOneMiddleware")
    messages = [*checks.check_deployment(), *checks.check_sign_in()]
    assert ids <= {message.id for message in messages}


@pytest.mark.parametrize("value", [f"{__name__}.a_middleware", f"{__name__}.AllInOneMiddleware"])
def test_only_a_serializer_class_describes_the_user(settings: Any, value: str) -> None:
    settings.TOKENS_ME_SERIALIZER = value
    (message,) = checks.check_me_serializer()
    assert message.msg == "TOKENS_ME_SERIALIZER: it is no serializer class."
    settings.TOKENS_ME_SERIALIZER = None
    assert checks.check_me_serializer() == []


# EXCEPTION_HANDLER


def passing_on(error: Exception, context: Any) -> Any:
    return ours(error, context)


def by_the_module(error: Exception, context: Any) -> Any:
    return exception_handler(module.as_api_exception(error), context)


def by_the_package(error: Exception, context: Any) -> Any:
    return tokens.api.exception_handler.exception_handler(error, context)


def by_an_import(error: Exception, context: Any) -> Any:
    from tokens.api.exception_handler import exception_handler as imported

    return imported(error, context)


def by_its_path(error: Exception, context: Any) -> Any:
    found = importlib.import_module("tokens.api.exception_handler")
    return found.exception_handler(error, context)


def by_another(error: Exception, context: Any) -> Any:
    return passing_on(error, context)


def within(handler: Any) -> Any:
    def outer(error: Exception, context: Any) -> Any:
        return (lambda: handler(error, context))()

    return outer


class Handler:
    def __call__(self, error: Exception, context: Any) -> Any:
        return passing_on(error, context)

    def handle(self, error: Exception, context: Any) -> Any:
        return passing_on(error, context)


class Other:
    def __call__(self, error: Exception, context: Any) -> Any:
        return exception_handler(error, context)


def repeating(error: Exception, context: Any, times: int = 3) -> Any:
    return repeating(error, context, times - 1) if times else None


ACCEPTED = {
    "ours": ours,
    "passing on": passing_on,
    "by the module": by_the_module,
    "by the package": by_the_package,
    "by an import": by_an_import,
    "by its path": by_its_path,
    "by another": by_another,
    "within": within(ours),
    "partial": partial(passing_on),
    "object": Handler(),
    "method": Handler().handle,
}
REPORTED = {
    "DRF's": exception_handler,
    "within": within(exception_handler),
    "object": Other(),
    "not of Python": len,
    "repeating": repeating,
}


def handled_by(settings: Any, handler: Any) -> list[str | None]:
    settings.ROOT_URLCONF = urlconf(APP_ROUTES, path("own/", APIView.as_view()))
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "EXCEPTION_HANDLER": handler}
    return [message.id for message in checks.check_exception_handler()]


@pytest.mark.parametrize("handler", ACCEPTED.values(), ids=ACCEPTED)
def test_a_handler_that_calls_ours_is_accepted(settings: Any, handler: Any) -> None:
    assert handled_by(settings, handler) == []
    assert handler(TooManyAttempts(timedelta(seconds=1)), {}).status_code == 429


@pytest.mark.parametrize("handler", REPORTED.values(), ids=REPORTED)
def test_a_handler_that_does_not_is_reported(settings: Any, handler: Any) -> None:
    assert handled_by(settings, handler) == ["tokens.W046"]
    if handler is not len:
        assert (
            handler(TooManyAttempts(timedelta(seconds=1)), {}) is None
        )  # The exception is raised again.


def test_without_other_views_of_drf_any_handler_will_do(settings: Any) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "EXCEPTION_HANDLER": exception_handler}
    settings.ROOT_URLCONF = urlconf(APP_ROUTES)
    assert checks.check_exception_handler() == []


# Admin sites


@pytest.fixture
def site(settings: Any) -> AdminSite:
    """Return an admin site of the project, at which the user model is registered."""
    site = AdminSite(name="back_office")
    site.register(Group)
    site.register(get_user_model(), UserAdmin)
    settings.ROOT_URLCONF = urlconf(APP_ROUTES, path("back/", include((site.get_urls(), "admin"))))
    return site


def test_an_admin_site_that_the_app_was_not_told_of_is_reported(site: AdminSite) -> None:
    messages = found()
    assert list(messages) == ["tokens.W047", "tokens.W048"]
    assert all("'back_office'" in message.msg for message in messages.values())
    extend(site)
    assert list(found()) == ["tokens.W047"]
    protect_passwords(site)
    assert list(found()) == []


def test_an_admin_site_without_users_shows_no_sessions(site: AdminSite) -> None:
    site.unregister(get_user_model())
    assert list(found()) == ["tokens.W047"]


def test_an_admin_site_without_routes_is_not_reported(site: AdminSite, settings: Any) -> None:
    settings.ROOT_URLCONF = urlconf(APP_ROUTES)
    assert list(found()) == []


def test_a_middleware_passes_on() -> None:
    assert a_middleware(HttpRequest) is HttpRequest

"""What a project needs beside INSTALLED_APPS: routes, templates, static files, an error handler."""

import inspect
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError
from django.shortcuts import resolve_url
from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template
from django.urls import NoReverseMatch
from rest_framework.serializers import BaseSerializer
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from .. import keyring
from ..api import exception_handler as ours
from ..api.addresses import classes_of_views
from ..api.endpoint import Endpoint
from ..api.me_views import MeView
from ..api.well_known import JWKSView
from ..conf import conf
from ..errors import KeyRingError
from .values import APP

SIMPLEJWT_VIEWS = f"{APP}.simplejwt_names."
HANDLER = f"{APP}.api.exception_handler.exception_handler"
# Functions that call functions that call …: how far to look for the app's own.
_DEPTH = 5


def check_routes(**kwargs: Any) -> list[CheckMessage]:
    """Warn if no route leads to the app, or to its public keys."""
    classes = classes_of_views()
    messages: list[CheckMessage] = []
    if not any(_signs_in(each) for each in classes):
        messages.append(
            Warning(
                "No route leads to the views of this app: users cannot sign in, refresh or sign out.",
                hint=f'Add path("api/", include("{APP}.urls")) to your URLconf. If your own views call '
                f"{APP}.sessions, add tokens.W049 to SILENCED_SYSTEM_CHECKS.",
                id="tokens.W049",
            )
        )
    if JWKSView not in classes and _has_public_keys():
        messages.append(
            Warning(
                "The signing keys have public parts, and no route leads to the JWK Set: no other "
                "service can verify access tokens.",
                hint=f'Add path(".well-known/", include("{APP}.well_known_urls")) to your URLconf.',
                id="tokens.W050",
            )
        )
    return messages


def _signs_in(view: type) -> bool:
    """Return whether the view is one of the app's that need a route, under this or simplejwt's names."""
    if issubclass(view, Endpoint):
        return view not in {JWKSView, MeView}
    return any(base.__module__.startswith(SIMPLEJWT_VIEWS) for base in view.__mro__)


def _has_public_keys() -> bool:
    try:
        return bool(keyring.jwks()["keys"])
    except (DatabaseError, KeyRingError):
        return False  # check_key_ring reports the second.


def check_pages(**kwargs: Any) -> list[CheckMessage]:
    """Warn if the pages that the project offers cannot be rendered, or have no style and script."""
    classes = classes_of_views()
    offers_pages = any(
        issubclass(each, Endpoint) and each is not JWKSView and len(each.renderer_classes) > 1
        for each in classes
    )
    if not offers_pages:
        return []
    messages: list[CheckMessage] = []
    try:
        for name in ("tokens/login.html", "tokens/sessions.html", "tokens/api.html"):
            get_template(name)
    except (TemplateDoesNotExist, TemplateSyntaxError) as error:
        messages.append(
            Warning(
                f"The sign-in page and the browsable API cannot be rendered: {error}.",
                hint='Set APP_DIRS to True in TEMPLATES, and add "rest_framework" to INSTALLED_APPS.',
                id="tokens.W051",
            )
        )
    if not apps.is_installed("django.contrib.staticfiles") or not settings.STATIC_URL:
        messages.append(
            Warning(
                "The sign-in page and the browsable API have no style and no script: "
                "django.contrib.staticfiles is not installed, or STATIC_URL is not set.",
                hint='Add "django.contrib.staticfiles" to INSTALLED_APPS, and set STATIC_URL.',
                id="tokens.W052",
            )
        )
    return messages


def check_exception_handler(**kwargs: Any) -> list[CheckMessage]:
    """
    Warn if views of the project answer errors of this app, and of the database, with a 500.

    The app's own views and authentication classes do not depend on the handler. So there is nothing
    to warn about in a project without other views of DRF.
    """
    others = [
        each
        for each in classes_of_views()
        if issubclass(each, APIView) and not issubclass(each, Endpoint)
    ]
    if not others or _calls_ours(api_settings.EXCEPTION_HANDLER, _DEPTH):
        return []
    return [
        Warning(
            "EXCEPTION_HANDLER of REST_FRAMEWORK does not know the exceptions of this app: if a view of "
            "yours lets one pass, such as TooManyAttempts, or if the database is unavailable, the answer is "
            "a 500 instead of a 401, 429 or 503.",
            hint=f'Set it to "{HANDLER}", or call that function in your own handler.',
            id="tokens.W046",
        )
    ]


def _calls_ours(handler: Any, depth: int) -> bool:
    """Return whether the code of ``handler`` names a function of this app's module of handlers."""
    while isinstance(handler, partial):
        handler = handler.func
    handler = inspect.unwrap(handler)
    if isinstance(handler, MethodType):
        handler = handler.__func__
    elif not isinstance(handler, FunctionType):
        handler = getattr(type(handler), "__call__", None)  # noqa: B004  # Its code is looked at.
    if not isinstance(handler, FunctionType):
        return False
    if handler is ours.exception_handler or handler is ours.as_api_exception:
        return True
    names, texts = _named_in(handler.__code__)
    if any(text.startswith(ours.__name__) for text in (*names, *texts)):
        return True  # It imports the module, or a name from it, when it is called.
    found = [handler.__globals__.get(name) for name in names]
    found += [cell.cell_contents for cell in handler.__closure__ or ()]
    modules = [f"{each.__name__}." for each in found if isinstance(each, ModuleType)]
    if "exception_handler" in names and any(
        f"{ours.__name__}.".startswith(name) for name in modules
    ):
        return True
    called = [each for each in found if callable(each) and not isinstance(each, type)]
    return depth > 0 and any(_calls_ours(each, depth - 1) for each in called)


def _named_in(code: CodeType) -> tuple[set[str], set[str]]:
    """Return the names and the strings in the code of a function and of those within it."""
    names, texts = set(code.co_names), set[str]()
    for constant in code.co_consts:
        if isinstance(constant, str):
            texts.add(constant)
        elif isinstance(constant, CodeType):
            inner_names, inner_texts = _named_in(constant)
            names |= inner_names
            texts |= inner_texts
    return names, texts


def check_me_serializer(**kwargs: Any) -> list[CheckMessage]:
    """Report a serializer that cannot be imported, or is none."""
    try:
        found = conf.TOKENS_ME_SERIALIZER
    except ImportError as error:
        trouble = str(error)
    else:
        if found is None or (isinstance(found, type) and issubclass(found, BaseSerializer)):
            return []
        trouble = "it is no serializer class"
    return [
        Error(
            f"TOKENS_ME_SERIALIZER: {trouble}.",
            hint="Set it to the dotted path of a serializer class, or to None.",
            id="tokens.E040",
        )
    ]


def check_home_url(**kwargs: Any) -> list[CheckMessage]:
    """Report the name of a route that does not exist."""
    try:
        resolve_url(conf.TOKENS_HOME_URL or "/")
    except NoReverseMatch as error:
        return [
            Error(
                f"TOKENS_HOME_URL is {conf.TOKENS_HOME_URL!r}: {error}",
                hint="Set it to a URL, a path, or the name of a route without parameters.",
                id="tokens.E041",
            )
        ]
    return []

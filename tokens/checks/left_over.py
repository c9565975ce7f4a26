"""Apps, authentication classes and routes that another package left behind."""

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Warning
from rest_framework.settings import api_settings

from ..api.addresses import classes_of_views
from .taken_over import is_taken_over
from .values import APP

SIMPLEJWT = "rest_framework_simplejwt"
AUTHTOKEN = "rest_framework.authtoken"
AUTHTOKEN_CLASS = "rest_framework.authentication.TokenAuthentication"
# Packages whose tokens know nothing of the sessions of this app.
_JWT_PACKAGES = (SIMPLEJWT, "rest_framework_jwt")
_PACKAGES = (*_JWT_PACKAGES, "knox")
# Packages that need DRF's own tokens unless they are told otherwise.
_USE_AUTHTOKEN = ("dj_rest_auth", "djoser")


def check_apps(**kwargs: Any) -> list[CheckMessage]:
    """Warn about installed apps that issue or keep tokens of their own."""
    packages = tuple(name for name in _JWT_PACKAGES if not is_taken_over(name))
    left = [config.name for config in apps.get_app_configs() if _is_of(config.name, packages)]
    messages: list[CheckMessage] = []
    if left:
        messages.append(
            Warning(
                f"{', '.join(left)} is installed: this app replaces it.",
                hint="Once no client has its tokens any more, remove it from INSTALLED_APPS. Tables "
                'of a denylist can be dropped before by "manage.py migrate token_blacklist zero".',
                id="tokens.W043",
            )
        )
    accepted = any(
        _name_of(base) == AUTHTOKEN_CLASS for base in _authentication_classes(everywhere=True)
    )
    needed = accepted or any(apps.is_installed(name) for name in _USE_AUTHTOKEN)
    if apps.is_installed(AUTHTOKEN) and not needed:
        messages.append(
            Warning(
                f"{AUTHTOKEN} is installed, and no view accepts its tokens.",
                hint='Run "manage.py migrate authtoken zero", which deletes the tokens, and remove it '
                "from INSTALLED_APPS.",
                id="tokens.W043",
            )
        )
    return messages


def check_left_over_classes(**kwargs: Any) -> list[CheckMessage]:
    """Warn about authentication classes that accept what this app cannot revoke."""
    left = {
        _name_of(base)
        for base in _authentication_classes(everywhere=True)
        if _is_of(_name_of(base), _PACKAGES)
    }
    # A single view may accept DRF's tokens on purpose, such as for a service.
    for base in _authentication_classes(everywhere=False):
        if _name_of(base) == AUTHTOKEN_CLASS:
            left.add(AUTHTOKEN_CLASS)
    if not left:
        return []
    return [
        Warning(
            f"Views accept tokens by {', '.join(sorted(left))}: to end a session here, to deactivate its "
            "user or to change the password may leave them valid.",
            hint=f'Put "{APP}.authentication.JWTAuthentication" in its place in '
            "DEFAULT_AUTHENTICATION_CLASSES, and in the authentication_classes of views.",
            id="tokens.W044",
        )
    ]


def check_left_over_routes(**kwargs: Any) -> list[CheckMessage]:
    """Warn about routes on which another package issues tokens."""
    left = {
        _name_of(view)
        for view in classes_of_views()
        if any(_is_of(base.__module__, _JWT_PACKAGES) for base in view.__mro__)
    }
    if not left:
        return []
    return [
        Warning(
            f"Routes lead to {', '.join(sorted(left))}: they issue tokens that this app refuses, and "
            "refuse tokens that this app issues.",
            hint=f'Remove these routes, and include "{APP}.urls". Their names are the same.',
            id="tokens.W045",
        )
    ]


def _authentication_classes(*, everywhere: bool) -> list[type]:
    """Return the default classes with their bases, and ``everywhere`` those of each routed view."""
    classes: list[Any] = list(api_settings.DEFAULT_AUTHENTICATION_CLASSES)
    if everywhere:
        for view in classes_of_views():
            classes += getattr(view, "authentication_classes", ())
    return [base for each in classes if isinstance(each, type) for base in each.__mro__]


def _name_of(each: type) -> str:
    return f"{each.__module__}.{each.__qualname__}"


def _is_of(name: str, packages: tuple[str, ...]) -> bool:
    return name.partition(".")[0] in packages

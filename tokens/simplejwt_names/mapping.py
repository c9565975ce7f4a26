"""SIMPLE_JWT as TOKENS_… settings. One that the project sets itself is left alone."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings

from ..conf import Settings

DEFAULT_RULE = "rest_framework_simplejwt.authentication.default_user_authentication_rule"
DEFAULT_REFRESH_LIFETIME = timedelta(days=1)


def apply() -> None:
    """Set what SIMPLE_JWT means for this app, before its own defaults are set."""
    given = getattr(settings, "SIMPLE_JWT", None) or {}
    for name, value in _settings(given):
        if not hasattr(settings, name):
            setattr(settings, name, value)


def header_name(meta_key: str) -> str:
    """Return the request header that ``request.META`` has under this key."""
    return meta_key.removeprefix("HTTP_").replace("_", "-").title()


def header_types(value: Any) -> list[str]:
    """Return the schemes of AUTH_HEADER_TYPES, which may be one string."""
    return [value] if isinstance(value, str) else list(value)


def _settings(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for theirs, ours in (
        ("ACCESS_TOKEN_LIFETIME", "TOKENS_ACCESS_LIFETIME"),
        ("ALGORITHM", "TOKENS_ALGORITHM"),
        ("AUDIENCE", "TOKENS_AUDIENCE"),
        ("ISSUER", "TOKENS_ISSUER"),
    ):
        value = given.get(theirs)
        if isinstance(value, type(getattr(Settings, ours).default)):
            yield ours, value
    yield from _lifetimes(given)
    if "AUTH_HEADER_TYPES" in given:
        yield "TOKENS_HEADER_TYPES", header_types(given["AUTH_HEADER_TYPES"])
    if "AUTH_HEADER_NAME" in given:
        yield "TOKENS_HEADER_NAME", header_name(given["AUTH_HEADER_NAME"])
    rule = given.get("USER_AUTHENTICATION_RULE")
    if isinstance(rule, str) and rule != DEFAULT_RULE:
        yield "TOKENS_USER_RULE", rule
    if getattr(settings, "TOKENS_ROTATION", "") == "on_proof":
        yield "TOKENS_RETURN_REFRESH_TOKEN", bool(given.get("ROTATE_REFRESH_TOKENS"))


def _lifetimes(given: Mapping[str, Any]) -> Iterator[tuple[str, timedelta]]:
    """Without rotation, no user stays signed in for longer than one refresh token is valid."""
    refresh = given.get("REFRESH_TOKEN_LIFETIME", DEFAULT_REFRESH_LIFETIME)
    longest = Settings.TOKENS_SESSION_LIFETIME.default
    yield "TOKENS_REFRESH_LIFETIME", refresh
    rotates = given.get("ROTATE_REFRESH_TOKENS", False)
    yield "TOKENS_SESSION_LIFETIME", max(refresh, longest) if rotates else refresh

"""Settings with a name that nothing reads: misspelt, or of another package."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from ..conf import Setting
from .taken_over import is_taken_over

PREFIX = "TOKENS_"
# As this repository's own project calls some settings in the environment.
_IN_ENVIRONMENT = {
    "ACCESS_TOKEN_LIFETIME": "TOKENS_ACCESS_LIFETIME",
    "REFRESH_TOKEN_LIFETIME": "TOKENS_REFRESH_LIFETIME",
    "REFRESH_TOKEN_GRACE": "TOKENS_REFRESH_GRACE",
}
# What replaces the keys of a setting of another package.
_REPLACED: Mapping[str, Mapping[str, str]] = {
    "SIMPLE_JWT": {
        "ACCESS_TOKEN_LIFETIME": "TOKENS_ACCESS_LIFETIME",
        "REFRESH_TOKEN_LIFETIME": "TOKENS_REFRESH_LIFETIME",
        "ALGORITHM": "TOKENS_ALGORITHM",
        "AUDIENCE": "TOKENS_AUDIENCE",
        "ISSUER": "TOKENS_ISSUER",
        "LEEWAY": "TOKENS_LEEWAY",
        "AUTH_HEADER_TYPES": "TOKENS_HEADER_TYPES",
        "AUTH_HEADER_NAME": "TOKENS_HEADER_NAME",
        "ROTATE_REFRESH_TOKENS": "TOKENS_ROTATION",
        "USER_AUTHENTICATION_RULE": "TOKENS_USER_RULE",
        "TOKEN_OBTAIN_SERIALIZER": "TOKENS_CLAIMS_HOOK",
    },
    "JWT_AUTH": {
        "JWT_EXPIRATION_DELTA": "TOKENS_ACCESS_LIFETIME",
        "JWT_REFRESH_EXPIRATION_DELTA": "TOKENS_REFRESH_LIFETIME",
        "JWT_ALGORITHM": "TOKENS_ALGORITHM",
        "JWT_AUDIENCE": "TOKENS_AUDIENCE",
        "JWT_ISSUER": "TOKENS_ISSUER",
        "JWT_LEEWAY": "TOKENS_LEEWAY",
        "JWT_AUTH_HEADER_PREFIX": "TOKENS_HEADER_TYPES",
    },
}


def check_names(**kwargs: Any) -> list[CheckMessage]:
    """Warn about a name that begins like the app's settings and that the app does not know."""
    messages: list[CheckMessage] = []
    for name in sorted(dir(settings)):
        if not name.startswith(PREFIX) or name in Setting.declared:
            continue
        # Without the prefix, which would make every name similar to every other.
        known = [other.removeprefix(PREFIX) for other in Setting.declared]
        similar = get_close_matches(name.removeprefix(PREFIX), known, n=1)
        messages.append(
            Warning(
                f"{name} is set, and the app has no such setting: it has no effect.",
                hint=f"Did you mean {PREFIX}{similar[0]}?"
                if similar
                else "Remove it, or choose another prefix for a setting of your own.",
                id="tokens.W040",
            )
        )
    return messages


def check_names_without_prefix(**kwargs: Any) -> list[CheckMessage]:
    """Warn about a setting that only lacks the prefix, while the one with the prefix is not set."""
    messages: list[CheckMessage] = []
    for name in sorted(dir(settings)):
        meant = _IN_ENVIRONMENT.get(name)
        if name.startswith("TOKEN_"):
            meant = f"{PREFIX}{name.removeprefix('TOKEN_')}"
        if meant not in Setting.declared:
            continue
        # The app gives every setting that the project lacks its default.
        if getattr(settings, meant, None) == Setting.declared[meant].default:
            messages.append(
                Warning(
                    f"{name} is set, and {meant}, which the app reads, is not.",
                    hint=f"Rename it to {meant}.",
                    id="tokens.W041",
                )
            )
    return messages


def check_settings_of_others(**kwargs: Any) -> list[CheckMessage]:
    """Warn about settings of a package that this app replaces."""
    messages: list[CheckMessage] = []
    for name, replaced in _REPLACED.items():
        values = getattr(settings, name, None)
        if values is None or is_taken_over(name):
            continue
        keys = sorted(values) if isinstance(values, Mapping) else []
        messages.append(
            Warning(
                f"{name} is set. It belongs to another package, and has no effect on the tokens of "
                "this app.",
                hint=" ".join(_advice(name, keys, replaced)),
                id="tokens.W042",
            )
        )
    return messages


def _advice(name: str, keys: Iterable[str], replaced: Mapping[str, str]) -> Iterable[str]:
    """Return what to set instead of each key that is there, as sentences."""
    for key in keys:
        if key in replaced:
            yield f"Set {replaced[key]} instead of {key}."
    if others := [key for key in keys if key not in replaced]:
        yield f"Nothing here corresponds to {', '.join(others)}."
    yield f"Then remove {name}."

"""Readers of the environment. Each refuses an invalid value and names the valid ones."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from decouple import AutoConfig, Csv, UndefinedValueError
from django.core.exceptions import ImproperlyConfigured

from tokens.secret.strength import MINIMUM_LENGTH, weakness_of

ROOT = Path(__file__).resolve().parent.parent

LONGEST_LIFETIME = timedelta(days=3650)

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class Environment:
    """The process's environment, then ``.env`` beside manage.py; one reader per kind of value."""

    def __init__(self, source: Callable[..., Any] | None = None) -> None:
        self._source = source or _dot_env()

    def text(self, name: str, default: str) -> str:
        return str(self._source(name, default=default)).strip()

    def word(self, name: str, default: str) -> str:
        """Return text, which must not be empty."""
        if value := self.text(name, default):
            return value
        raise self._refused(name, value, "any text that is not empty")

    def secret(self, name: str) -> str:
        """Return a secret that is not easy to guess. No error quotes it."""
        try:
            value = str(self._source(name))
        except UndefinedValueError:
            value = ""
        if not value:
            raise ImproperlyConfigured(
                f"{name} is not set. Copy .env.example to .env and fill it in, or run "
                '"make run", which does both.'
            )
        if weakness := weakness_of(value):
            raise ImproperlyConfigured(
                f"{name} {weakness}, so it can be guessed. It needs {MINIMUM_LENGTH} or more random "
                "characters: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
        return value

    def former_secrets(self, name: str, *, way_out: str) -> list[str]:
        """Return secrets that are not easy to guess. The error for another ends with ``way_out``."""
        values = self._list(name, "")
        for number, value in enumerate(values, 1):
            if weakness := weakness_of(value):
                raise ImproperlyConfigured(
                    f"Value {number} of {name} {weakness}, so it can be guessed. Remove it. {way_out}"
                )
        return values

    def flag(self, name: str, default: bool) -> bool:
        value = self.text(name, "true" if default else "false").lower()
        if value in _TRUE | _FALSE:
            return value in _TRUE
        raise self._refused(name, value, "true or false")

    def whole_number(self, name: str, default: int, *, at_most: int) -> int:
        value = self.text(name, str(default))
        if re.fullmatch(r"[0-9]{1,9}", value) and int(value) <= at_most:
            return int(value)
        raise self._refused(name, value, f"a whole number from 0 to {at_most}")

    def seconds(self, name: str, default: timedelta, *, at_least: int = 1) -> timedelta:
        value = self.text(name, str(int(default.total_seconds())))
        at_most = int(LONGEST_LIFETIME.total_seconds())
        if re.fullmatch(r"[0-9]{1,9}", value) and at_least <= int(value) <= at_most:
            return timedelta(seconds=int(value))
        raise self._refused(name, value, f"a whole number of seconds from {at_least} to {at_most}")

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value in choices:
            return value
        raise self._refused(name, value, "one of " + ", ".join(choices))

    def server(self) -> str:
        """Return what `make serve` serves."""
        return self.choice("SERVER", "wsgi", ("wsgi", "asgi"))

    def rate(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if not value or re.fullmatch(r"[1-9][0-9]{0,5}/(sec|min|hour|day)", value):
            return value
        raise self._refused(
            name, value, "a number per sec, min, hour or day, such as 10/min, or empty"
        )

    def hosts(self, name: str, default: list[str]) -> list[str]:
        hosts = self._list(name, ",".join(default))
        for host in hosts:
            if re.search(r"[/\s]", host) or (":" in host.strip("[]") and not host.startswith("[")):
                raise self._refused(name, host, "host names without a scheme, port or path")
        return hosts

    def origins(self, name: str, default: tuple[str, ...] = ()) -> list[str]:
        origins = self._list(name, ",".join(default))
        for origin in origins:
            if not _is_origin(origin):
                raise self._refused(name, origin, "origins such as https://app.example.org")
        return origins

    def database(self, name: str, *, default_path: Path) -> dict[str, Any]:
        """Return Django's settings of a database. No error quotes the password in the URL."""
        url = self.text(name, "") or f"sqlite:///{default_path}"
        scheme = url.partition(":")[0]
        if scheme not in {"sqlite", "postgres", "postgresql"}:
            raise self._refused(
                name, f"{scheme}:…", "sqlite:///path or postgres://user:password@host:port/name"
            )
        try:
            settings = dict(dj_database_url.parse(url))
        except ValueError:
            settings = {}
        if not settings.get("NAME"):
            raise self._refused(
                name, f"{scheme}:…", "sqlite:///path or postgres://user:password@host:port/name"
            )
        return settings

    def cache(self, name: str) -> dict[str, Any]:
        url = self.text(name, "")
        if not url:
            return {
                "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
                "OPTIONS": {"MAX_ENTRIES": 10_000},
            }
        scheme = url.partition(":")[0]
        if scheme not in {"redis", "rediss", "unix"} or not _names_a_place(url):
            raise self._refused(name, f"{scheme}:…", "redis://host:port/number, or empty")
        return {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": url,
            # Seconds. A cache that does not answer must not delay requests that do not need it.
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        }

    def _list(self, name: str, default: str) -> list[str]:
        return [item for item in Csv()(self.text(name, default)) if item]

    @staticmethod
    def _refused(name: str, value: str, allowed: str) -> ImproperlyConfigured:
        return ImproperlyConfigured(f"{name} is {value[:80]!r}. It may be {allowed}.")


def _dot_env() -> Callable[..., Any]:
    """Return the reader of the environment and of ``.env``, which may be missing."""
    config: Callable[..., Any] = AutoConfig(search_path=str(ROOT))
    try:
        config("PATH", default="")
    except (PermissionError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(
            f"{ROOT / '.env'} cannot be read ({error}). Make it readable to the user that runs "
            "this, or delete it and set the variables in the environment."
        ) from None
    return config


def _names_a_place(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.path if parts.scheme == "unix" else parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return False  # The port is above 65535, or a bracket is not closed.
    return bool(known) and not (parts.path or parts.query or parts.fragment)

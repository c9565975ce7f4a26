"""System checks for what keeps other services from reading the lists."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError
from django.urls import Resolver404, resolve

from .. import keyring
from ..conf import conf
from ..errors import KeyRingError
from .views import status_list

APP = __package__
LONGEST = timedelta(hours=1)


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Report a URL that no token can contain, and a ttl out of bounds."""
    base, ttl = conf.TOKENS_STATUS_LIST_URL, conf.TOKENS_STATUS_LIST_TTL
    if base is not None and not _is_address(base):
        return [
            Error(
                f"TOKENS_STATUS_LIST_URL is {base!r}, so access tokens cannot name their status list.",
                hint=f"Set it to the URL at which other services reach {APP}.urls, such as "
                '"https://accounts.example.com/status-lists/", or to None while there are no lists.',
                id="tokens.E063",
            )
        ]
    if not timedelta(seconds=1) <= ttl <= LONGEST:
        return [
            Error(
                f"TOKENS_STATUS_LIST_TTL is {ttl}.",
                hint="Set it to a timedelta from one second to one hour. Other services learn of an end "
                "one and a half times as long afterwards, at the latest.",
                id="tokens.E063",
            )
        ]
    return []


def check_algorithm(**kwargs: Any) -> list[CheckMessage]:
    """Report that there are lists, but new keys have no public half."""
    if conf.TOKENS_STATUS_LIST_URL is None or not conf.TOKENS_ALGORITHM.startswith("HS"):
        return []
    return [
        Error(
            f"TOKENS_ALGORITHM is {conf.TOKENS_ALGORITHM!r}: no other service can verify a status list.",
            hint='Set it to "ES256", and run "manage.py rotate_secret --algorithm ES256"; or set '
            "TOKENS_STATUS_LIST_URL to None.",
            id="tokens.E064",
        )
    ]


def check_signing_key(**kwargs: Any) -> list[CheckMessage]:
    """Warn if the signing key has no public half."""
    if conf.TOKENS_STATUS_LIST_URL is None or conf.TOKENS_ALGORITHM.startswith("HS"):
        return []
    try:
        key = keyring.signing_key()
    except (DatabaseError, KeyRingError):
        return []  # check_key_ring reports the second.
    if key.public is not None:
        return []
    return [
        Warning(
            f"The signing key is for {key.algorithm}, so access tokens name no status list yet.",
            hint=f'Run "manage.py rotate_secret --algorithm {conf.TOKENS_ALGORITHM}".',
            id="tokens.W072",
        )
    ]


def check_route(**kwargs: Any) -> list[CheckMessage]:
    """Warn if the URL in the tokens does not lead to the lists of this project."""
    base = conf.TOKENS_STATUS_LIST_URL
    if base is None or not _is_address(base):
        return []
    try:
        found: Any = resolve(f"{urlsplit(base).path}0").func
    except Resolver404:
        found = None
    if found is status_list:
        return []
    return [
        Warning(
            f"TOKENS_STATUS_LIST_URL is {base!r}, and no route of this project leads from there to the "
            "lists.",
            hint=f'Add path("status-lists/", include("{APP}.urls")) to your URLconf. If a proxy changes '
            "the path, or another host serves the lists, add tokens.W073 to SILENCED_SYSTEM_CHECKS.",
            id="tokens.W073",
        )
    ]


def _is_address(base: str) -> bool:
    """Return whether it is an absolute URI to which the number of a list can be added (§6.2)."""
    try:
        parts = urlsplit(base)
    except ValueError:
        return False
    is_plain = not (parts.query or parts.fragment) and base.isascii() and " " not in base
    return (
        parts.scheme in {"http", "https"} and bool(parts.hostname) and is_plain and base[-1:] == "/"
    )

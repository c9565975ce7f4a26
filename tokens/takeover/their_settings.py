"""SIMPLE_JWT, with the defaults of djangorestframework-simplejwt 5.5."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist

from ..jose import UNNAMED_ALGORITHMS
from ..secret import Secret


class CannotTakeOver(Exception):
    """A setting of SIMPLE_JWT makes it impossible to verify the tokens; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirSettings:
    """What is needed to verify a token. ``key`` is None if the key is the one that JWK_URL had."""

    algorithm: str
    key: Secret[Any] | None
    jwk_url: str
    audiences: frozenset[str]
    issuers: frozenset[str]
    leeway: timedelta
    user_id_field: str
    user_id_claim: str
    type_claim: str
    jti_claim: str
    checks_password: bool
    password_claim: str
    access_lifetime: timedelta
    refresh_lifetime: timedelta
    rotates: bool
    blacklists: bool
    given: Mapping[str, Any] = field(repr=False)

    @property
    def own_claims(self) -> frozenset[str]:
        """The claims that the other package sets itself, except for that of the user's id."""
        return frozenset({"exp", "iat", "nbf", "aud", "iss", "sub", "sid", "gen", "jti"}) | {
            self.type_claim,
            self.jti_claim,
            self.password_claim,
        }


def read() -> TheirSettings:
    """Return SIMPLE_JWT. Raises CannotTakeOver."""
    given = getattr(settings, "SIMPLE_JWT", None) or {}
    if not isinstance(given, Mapping):
        raise CannotTakeOver("SIMPLE_JWT is not a dict.")
    algorithm = given.get("ALGORITHM", "HS256")
    if algorithm not in UNNAMED_ALGORITHMS:
        raise CannotTakeOver(f"ALGORITHM is {algorithm!r}, which this app cannot verify.")
    jwk_url = given.get("JWK_URL") or ""
    leeway = given.get("LEEWAY") or 0
    result = TheirSettings(
        algorithm=algorithm,
        key=_key(given, algorithm, jwk_url),
        jwk_url=jwk_url,
        audiences=_names(given, "AUDIENCE"),
        issuers=_names(given, "ISSUER"),
        leeway=leeway if isinstance(leeway, timedelta) else timedelta(seconds=leeway),
        user_id_field=given.get("USER_ID_FIELD", "id"),
        user_id_claim=given.get("USER_ID_CLAIM", "user_id"),
        type_claim=_claim(given, "TOKEN_TYPE_CLAIM", "token_type"),
        jti_claim=_claim(given, "JTI_CLAIM", "jti"),
        checks_password=bool(given.get("CHECK_REVOKE_TOKEN", False)),
        password_claim=given.get("REVOKE_TOKEN_CLAIM", "hash_password"),
        access_lifetime=given.get("ACCESS_TOKEN_LIFETIME", timedelta(minutes=5)),
        refresh_lifetime=given.get("REFRESH_TOKEN_LIFETIME", timedelta(days=1)),
        rotates=bool(given.get("ROTATE_REFRESH_TOKENS", False)),
        blacklists=bool(given.get("BLACKLIST_AFTER_ROTATION", False)),
        given=given,
    )
    _check_user_field(result.user_id_field)
    return result


def _key(given: Mapping[str, Any], algorithm: str, jwk_url: str) -> Secret[Any] | None:
    if algorithm.startswith("HS"):
        return Secret(given.get("SIGNING_KEY", settings.SECRET_KEY))
    if jwk_url:
        return None
    key = given.get("VERIFYING_KEY")
    if not key:
        raise CannotTakeOver(f"VERIFYING_KEY is not set, and {algorithm} is verified with it.")
    return Secret(key)


def _names(given: Mapping[str, Any], name: str) -> frozenset[str]:
    """Return the accepted values; none if the claim is not checked."""
    value = given.get(name)
    if value is None:
        return frozenset()
    return frozenset([value] if isinstance(value, str) else value)


def _claim(given: Mapping[str, Any], name: str, default: str) -> str:
    value = given.get(name, default)
    if not isinstance(value, str):
        raise CannotTakeOver(
            f"{name} is {value!r}. Without that claim, neither a token nor its type can be told apart."
        )
    return value


def _check_user_field(name: str) -> None:
    users = get_user_model()
    if name == "pk":
        return
    try:
        users._meta.get_field(name)
    except FieldDoesNotExist:
        raise CannotTakeOver(
            f"USER_ID_FIELD is {name!r}, which is no field of {users._meta.label}."
        ) from None

"""Read a token of djangorestframework-simplejwt: its signature, its claims, and its user."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any
from uuid import UUID, uuid5

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare

from ..errors import Expired, Malformed, PasswordChanged, UserGone, WrongClaims, WrongType
from ..jose import REGISTERED_CLAIMS, TokenType, read_unnamed
from ..models import fetch_uncached
from ..secret import RawToken, Secret
from .their_settings import TheirSettings

# A name of this app's own, from which the ids of sessions are derived (RFC 9562 §5.5).
_NAMESPACE = UUID("6a3b0f0e-5f0b-4f57-9d0e-0c9c1a7a4c11")
_TYPES = {"access": TokenType.ACCESS, "refresh": TokenType.REFRESH}
_MAX_INSTANT = 253402300799  # 9999-12-31T23:59:59Z
MAX_ID_LENGTH = 255  # characters of a jti, and of a user's id


@dataclass(frozen=True, slots=True, kw_only=True)
class TheirToken:
    """A token whose signature and claims are good. ``extra`` has the claims to carry over."""

    type: TokenType
    jti: str
    user_id: str
    issued_at: datetime
    expires_at: datetime
    password_digest: str = field(repr=False)
    extra: Mapping[str, Any]

    @property
    def sid(self) -> UUID:
        """The id of the session that the token stands for: always the same one."""
        return uuid5(_NAMESPACE, json.dumps([self.type.value, self.jti, self.user_id]))


def sid_of_unshown(user: Any) -> UUID:
    """Return the id of the session for the tokens of a user that nothing is known about."""
    return uuid5(_NAMESPACE, json.dumps(["unshown", str(user.pk)]))


def read(
    raw_token: RawToken,
    *,
    theirs: TheirSettings,
    public_key: str = "",
    type: TokenType | None = None,
    now: datetime,
) -> TheirToken:
    """
    Return a token that the key of SIMPLE_JWT has signed and whose claims are good at ``now``.

    ``public_key`` is the key that JWK_URL had, as PEM. The database is not asked. Raises TokenError, and
    KeyRingError for an unfit key.
    """
    key = theirs.key or Secret(public_key)
    members = read_unnamed(raw_token, algorithm=theirs.algorithm, key=key)
    found = _TYPES.get(_text(members, theirs.type_claim))
    if found is None or type not in {None, found}:
        raise WrongType("The token is of another type.")
    issued, expires = _instant(members, "iat"), _instant(members, "exp")
    if expires + theirs.leeway <= now:
        raise Expired(f"The token expired at {expires:%Y-%m-%dT%H:%M:%SZ}.")
    if max(issued, _instant(members, "nbf") if "nbf" in members else issued) > now + theirs.leeway:
        raise WrongClaims("The token is not good yet.")
    _check_names(members.get("aud"), theirs.audiences, "audience")
    _check_names(members.get("iss"), theirs.issuers, "issuer")
    return TheirToken(
        type=found,
        jti=_text(members, theirs.jti_claim),
        user_id=_user_id(members.get(theirs.user_id_claim)),
        issued_at=issued,
        expires_at=expires,
        password_digest=str(members.get(theirs.password_claim, "")),
        extra={
            name: value
            for name, value in members.items()
            if name not in theirs.own_claims | REGISTERED_CLAIMS
        },
    )


def find_users(tokens: Iterable[TheirToken], theirs: TheirSettings) -> dict[str, Any]:
    """
    Return the users that tokens name, by the id in the tokens.

    An id that no user has, or more than one, is left out: USER_ID_FIELD may name a field that is not
    unique, such as the email address of Django's own user model.
    """
    users: Any = get_user_model()
    name = users._meta.pk.name if theirs.user_id_field == "pk" else theirs.user_id_field
    values = {_value_of(token.user_id, users._meta.get_field(name)) for token in tokens}
    found = fetch_uncached(users._default_manager.filter(**{f"{name}__in": values - {None}}))
    # By the text: the database may compare more loosely than the package that wrote the id.
    named = Counter(str(getattr(user, name)) for user in found)
    by_id = {str(getattr(user, name)): user for user in found}
    return {user_id: user for user_id, user in by_id.items() if named[user_id] == 1}


def find_user(token: TheirToken, theirs: TheirSettings) -> Any:
    """Return the user that the token names. Raises UserGone."""
    user = find_users([token], theirs).get(token.user_id)
    if user is None:
        raise UserGone("The token names no user.")
    return user


def _value_of(user_id: str, target: Any) -> Any:
    """Return the value of the user model's field, or None if it cannot have such a value."""
    try:
        value = target.to_python(user_id)
    except (ValidationError, ValueError, TypeError, OverflowError):
        return None
    return None if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


def check_password(token: TheirToken, user: Any, theirs: TheirSettings) -> None:
    """Raise PasswordChanged if CHECK_REVOKE_TOKEN is on and the password has changed since."""
    if not theirs.checks_password:
        return
    digest = md5(user.password.encode(), usedforsecurity=False).hexdigest().upper()
    if not constant_time_compare(digest, token.password_digest):
        raise PasswordChanged(f"The password of user {user.pk} was changed.")


def _check_names(value: Any, accepted: frozenset[str], what: str) -> None:
    named = set(map(str, value)) if isinstance(value, list) else {str(value)}
    if accepted and not named & accepted:
        raise WrongClaims(f"The token has another {what}.")


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_ID_LENGTH:
        raise Malformed(f"The claim {name} is missing or not a text.")
    return value


def _instant(members: dict[str, Any], name: str) -> datetime:
    value = members.get(name)
    if type(value) is not int or not 0 <= value <= _MAX_INSTANT:
        raise Malformed(f"The claim {name} is missing or not a whole number in range.")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)


def _user_id(value: Any) -> str:
    """Return the claim as simplejwt 5.5 writes it; earlier versions wrote numbers."""
    if type(value) is int and abs(value) < 2**63:
        return str(value)
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_ID_LENGTH:
        raise Malformed("The claim of the user's id is missing or has no possible value.")
    if not value.isprintable():
        raise UserGone("The token names no possible user.")
    return value

"""Make the two tokens of a session's row. The tokens are not stored."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from types import MappingProxyType
from typing import Any

from .. import keyring
from ..conf import conf
from ..errors import ClaimsError
from ..jose import REGISTERED_CLAIMS, Claims, TokenType, encode, jti_of
from ..models import Session
from . import status
from .audience import audience_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """The two tokens of a session; its repr hides them."""

    raw_access: str = field(repr=False)
    raw_refresh: str = field(repr=False)
    session: Session
    access_expires_at: datetime
    refresh_expires_at: datetime
    answered_at: datetime  # The request's instant: the access token is dated by it.


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """An access token that comes alone; its repr hides it."""

    raw_access: str = field(repr=False)
    session: Session
    expires_at: datetime


# Called with a pair before anything is written; raises what makes the pair useless to the caller.
Check = Callable[[TokenPair], None]


def issue(session: Session, *, now: datetime, check: Check | None = None) -> TokenPair:
    """
    Sign the pair of the session's current generation with the key that the row names.

    Everything but the access token's dates follows from the row, so the same generation gives the same
    ``jti``s, and a lost answer can be given again. The access token is dated ``now``, so that it is
    good for a whole lifetime. ``check`` is called with the pair and may raise.

    Raises ClaimsError.
    """
    access_until = min(now + conf.TOKENS_ACCESS_LIFETIME, session.idle_until)
    pair = TokenPair(
        raw_access=_sign_access(session, now, access_until),
        raw_refresh=_sign(
            session,
            TokenType.REFRESH,
            session.refreshed_at,
            session.idle_until,
            generation=session.generation,
        ),
        session=session,
        access_expires_at=access_until,
        refresh_expires_at=session.idle_until,
        answered_at=now,
    )
    if check:
        check(pair)
    return pair


def issue_access(session: Session, *, now: datetime) -> AccessToken:
    """Sign an access token that is valid as long as its session. Raises ClaimsError."""
    return AccessToken(
        raw_access=_sign_access(session, now, session.expires_at),
        session=session,
        expires_at=session.expires_at,
    )


def _sign_access(session: Session, issued_at: datetime, until: datetime) -> str:
    claims = {**own_claims(session), **status.claims(session, until=until, now=issued_at)}
    extra = MappingProxyType(claims)
    return _sign(session, TokenType.ACCESS, issued_at, until, extra=extra)


def _sign(
    session: Session, type: TokenType, issued_at: datetime, until: datetime, **more: Any
) -> str:
    key = keyring.verification_key(session.kid, type, now=session.refreshed_at)
    claims = Claims(
        type=type,
        kid=key.kid,
        iss=conf.TOKENS_ISSUER,
        aud=audience_of(type),
        sub=str(session.user_id),
        iat=int(issued_at.timestamp()),
        exp=int(until.timestamp()),
        jti=jti_of(session.pk, session.generation, type),
        sid=session.pk,
        **more,
    )
    return encode(claims, key=key)


def own_claims(session: Session) -> dict[str, Any]:
    """
    Return the claims that the project adds: ``client_id`` (RFC 9068 §2.2) if TOKENS_CLIENT_ID is
    set, the session's own, then those of TOKENS_CLAIMS_HOOK. The later ones replace the earlier.

    Raises ClaimsError for a registered claim, or for a value that JSON cannot hold as it is.
    """
    hook = conf.TOKENS_CLAIMS_HOOK
    client_id = {"client_id": conf.TOKENS_CLIENT_ID} if conf.TOKENS_CLIENT_ID else {}
    claims = {**client_id, **session.claims, **(hook(session) if hook else {})}
    for name, value in claims.items():
        if not isinstance(name, str) or name in REGISTERED_CLAIMS:
            raise ClaimsError(f"A project may not set the claim {name!r}.")
        if not _is_json(value):
            raise ClaimsError(
                f"The claim {name!r} is a {type(value).__name__}, or holds a value that JSON does not "
                "know. JSON has strings, numbers, booleans, None, lists and "
                "dicts with strings as keys: convert the value to one of these."
            )
    return claims


def _is_json(value: Any) -> bool:
    """Return whether JSON holds this value as it is. A tuple would come back as a list."""
    if isinstance(value, float):
        return isfinite(value)
    # Exact types: a lazy string, or an enumeration, would be written as something else.
    if value is None or type(value) in {str, int, bool}:
        return True
    if type(value) is list:
        return all(map(_is_json, value))
    return type(value) is dict and all(
        type(name) is str and _is_json(inner) for name, inner in value.items()
    )

"""From a session's row to the two tokens that it stands for, and to nothing that is stored."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from . import keyring
from .claims import REGISTERED_CLAIMS, Claims, TokenType
from .codec import encode
from .conf import conf
from .models import Session

# One spelling of each: the denylist compares text.
_JTI = re.compile(r"([0-9a-f]{32})\.(0|[1-9][0-9]{0,8})([ar])", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """The only object that holds raw tokens; its repr hides them."""

    raw_access: str = field(repr=False)
    raw_refresh: str = field(repr=False)
    session: Session
    access_expires_at: datetime
    refresh_expires_at: datetime


def issue(session: Session) -> TokenPair:
    """
    Sign the pair of the session's current generation with the key that the row names.

    Everything in it follows from the row, so the same generation gives the same ``jti``s, and
    an answer that was lost can be given again, also when another key has come to sign meanwhile.
    """
    key = keyring.verification_key(session.kid, now=session.refreshed_at)
    access_until = min(session.refreshed_at + conf.TOKENS_ACCESS_LIFETIME, session.expires_at)
    hook = conf.TOKENS_CLAIMS_HOOK
    extra = dict(hook(session)) if hook else {}
    if taken := REGISTERED_CLAIMS & extra.keys():
        raise ValueError(f"TOKENS_CLAIMS_HOOK may not set {', '.join(sorted(taken))}.")

    def sign(type: TokenType, until: datetime, **more: Any) -> str:
        claims = Claims(
            type=type,
            kid=key.kid,
            iss=conf.TOKENS_ISSUER,
            aud=conf.TOKENS_AUDIENCE,
            sub=str(session.user_id),
            iat=int(session.refreshed_at.timestamp()),
            exp=int(until.timestamp()),
            jti=jti_of(session, type),
            sid=session.pk,
            **more,
        )
        return encode(claims, key=key)

    return TokenPair(
        raw_access=sign(TokenType.ACCESS, access_until, extra=MappingProxyType(extra)),
        raw_refresh=sign(TokenType.REFRESH, session.idle_until, generation=session.generation),
        session=session,
        access_expires_at=access_until,
        refresh_expires_at=session.idle_until,
    )


def jti_of(session: Session, type: TokenType) -> str:
    """
    Return the ``jti`` of the session's current token of this type.

    It names the session, so that a token is found by its ``jti`` although none is stored. It
    is unique because ``sid`` is, and no secret.
    """
    letter = "a" if type is TokenType.ACCESS else "r"
    return f"{session.pk.hex}.{session.generation}{letter}"


def parse_jti(jti: str) -> tuple[UUID, int, TokenType] | None:
    """Return the session, the generation and the type that a ``jti`` names, None for no ``jti``."""
    match = _JTI.fullmatch(jti)
    if match is None:
        return None
    sid, generation, letter = match.groups()
    return UUID(hex=sid), int(generation), TokenType.ACCESS if letter == "a" else TokenType.REFRESH

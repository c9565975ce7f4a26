"""Make the two tokens of a session's row. The tokens are not stored."""

from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from .. import keyring
from ..conf import conf
from ..jose import REGISTERED_CLAIMS, Claims, TokenType, encode, jti_of
from ..models import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """The only object that holds raw tokens; its repr hides them."""

    raw_access: str = field(repr=False)
    raw_refresh: str = field(repr=False)
    session: Session
    access_expires_at: datetime
    refresh_expires_at: datetime
    answered_at: datetime  # The request's instant: within the grace, later than the issue.


def issue(session: Session, *, now: datetime) -> TokenPair:
    """
    Return the pair of the session's current generation, signed with the key that the row names.

    The pair depends on the row only, so the same generation has the same ``jti``s, and a lost
    answer can be repeated even after another key has begun to sign. Raises UnknownKey if the row's
    key no longer verifies, KeyRingError, and ValueError if TOKENS_CLAIMS_HOOK sets a registered
    claim.
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
            jti=jti_of(session.pk, session.generation, type),
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
        answered_at=now,
    )

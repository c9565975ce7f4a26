"""
What staff does with a token, or with its id, that somebody brings: find its session, deny it.

What a refusal says here is for staff, who may know the reason.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from .. import keyring
from ..conf import conf
from ..errors import Denied, Expired, Malformed, SessionEnded, UserGone
from ..jose import Claims, TokenType, decode, parse_jti
from ..models import DeniedToken, Session
from . import revocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """
    What was done about one token, and the id that stands on the denylist since.

    ``session_ended`` tells a refresh token, which took its session along, from an access token.
    """

    session: Session
    session_ended: bool
    value: str


def identify(raw_token: str, *, now: datetime | None = None) -> Claims:
    """
    Return the claims of a token that a key of ours signed, be it expired, denied or rotated.

    Raises TokenError; UnknownKey where the key was revoked or is gone, for then nobody can tell.
    """
    now = now or timezone.now()
    return decode(
        raw_token.strip(),
        find_key=partial(keyring.verification_key, now=now),
        issuer=conf.TOKENS_ISSUER,
        audience=conf.TOKENS_AUDIENCE,
        now=now,
        leeway=conf.TOKENS_LEEWAY,
        verify_exp=False,
    )


def deny_token(raw_token: str, *, note: str, by: Any = None, now: datetime | None = None) -> Denial:
    """
    Make a token useless: an access token itself, a refresh token with its session (RFC 7009 §2.1).

    Raises TokenError, also for one that was refused before: then nothing was changed.
    """
    now = now or timezone.now()
    claims = identify(raw_token, now=now)
    if claims.expires_at + conf.TOKENS_LEEWAY <= now:
        raise Expired(f"The token expired at {claims.expires_at:%Y-%m-%d %H:%M:%S} UTC.")
    return deny_jti(claims.jti, note=note, by=by, now=now)


def deny_jti(jti: str, *, note: str, by: Any = None, now: datetime | None = None) -> Denial:
    """
    Do as ``deny_token`` does, by the token's ``jti`` alone.

    Raises TokenError: Malformed for an id that no token can have.
    """
    now = now or timezone.now()
    parsed = parse_jti(jti)
    if parsed is None:
        raise Malformed("A jti here is 32 hexadecimal digits, a dot, a number, and «a» or «r».")
    sid, generation, type = parsed
    session = _open_session(sid)
    if generation > session.generation:
        raise Malformed(
            f"No such token was issued: the session is at generation {session.generation}."
        )
    with transaction.atomic():
        if DeniedToken.objects.filter(value=jti).exists():
            raise Denied("This token is on the denylist already.")
        if not revocation.carry_out(revocation.of_token(jti), note=note, by=by, now=now):
            raise SessionEnded("Its session has expired, or the session's key was revoked.")
    ended = type is TokenType.REFRESH
    return Denial(session=session, session_ended=ended, value=str(sid) if ended else jti)


def _open_session(sid: UUID) -> Session:
    try:
        session = Session.objects.select_related("user").get(pk=sid)
    except Session.DoesNotExist:
        raise UserGone(f"There is no session {sid} any more.") from None
    if session.ended_at is not None:
        raise SessionEnded(f"Its session ended before: {session.get_end_reason_display()}.")
    return session

"""
How a raw token becomes a user: read it, check its claims, judge it by the database.

Every entry point passes through ``look_up``. In strict mode it runs one query for each token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..conf import conf
from ..errors import Denied, Expired, PasswordChanged, SessionEnded, UserGone
from ..jose import Claims, TokenType, check, check_issued, generation_of
from ..models import EndReason, Session
from . import query, seen, verified
from .auth_hash import auth_hash_matches
from .eligibility import require_eligible
from .lazy_user import LazyUser, StrictLookup


class Shortcut(Protocol):
    """Returns whether an access token can be accepted without a query."""

    def __call__(self, claims: Claims, /, *, now: datetime) -> bool: ...


_shortcut: Shortcut | None = None


def set_shortcut(shortcut: Shortcut) -> None:
    """Ask ``shortcut`` for each access token before the query. False leaves it to the query."""
    global _shortcut
    _shortcut = shortcut


@dataclass(frozen=True, slots=True)
class Authenticated:
    """What a token stands for: its claims, its session and the user."""

    claims: Claims
    user: Any
    _load_session: Callable[[], Session]

    @property
    def session(self) -> Session:
        """
        The session. Raises TokenError if it is loaded only now, and the query refuses it.

        The session of an access token is read without the columns that do not judge it; Django
        loads each of them on first access.
        """
        return self._load_session()


def read_claims(
    raw_token: str, *, type: TokenType | None = None, now: datetime, verify_exp: bool = True
) -> Claims:
    """
    Return the claims of a token that one of our keys signed and whose claims are good at ``now``.

    The database is not asked whether the token is revoked. ``type`` None accepts both types;
    ``verify_exp`` False accepts an expired token, for staff. Raises TokenError.
    """
    claims = verified.read(raw_token, now=now)
    check(
        claims,
        issuer=conf.TOKENS_ISSUER,
        audience=conf.TOKENS_AUDIENCE,
        now=now,
        leeway=conf.TOKENS_LEEWAY,
        type=type,
        verify_exp=verify_exp,
    )
    return claims


def look_up(raw_token: str, *, type: TokenType | None, now: datetime) -> Authenticated:
    """
    Return what a token that is good at ``now`` stands for, by one query.

    ``type`` None accepts both types. Raises TokenError.
    """
    claims = read_claims(raw_token, type=type, now=now)
    if type is TokenType.ACCESS and _shortcut and _shortcut(claims, now=now):
        _note_seen(claims)
        later = StrictLookup(lambda: _judge(claims, now=now))
        return Authenticated(claims, LazyUser(claims.sub, later.user), later.session)
    session = _judge(claims, now=now)
    return Authenticated(claims, session.user, lambda: session)


def _judge(claims: Claims, *, now: datetime) -> Session:
    """Return the session with its user if the denylist and both of them accept the claims."""
    found = query.find(claims)
    if found is None:
        # A session's row outlives its tokens, so the user was deleted together with the session.
        raise UserGone(f"Session {claims.sid} does not exist.")
    session, denied = found
    user: Any = session.user
    if claims.sub != str(session.user_id):
        raise UserGone(f"The token's sub is not the user of session {claims.sid}.")
    require_eligible(user)
    check_session(claims, session, now=now)
    if denied:
        raise Denied(f"Token {claims.jti}, its session or its key is denied.")
    if not auth_hash_matches(session, user):
        raise PasswordChanged(f"The password of user {claims.sub} was changed.")
    if claims.type is TokenType.ACCESS:
        _note_seen(claims, session)
    return session


def _note_seen(claims: Claims, session: Session | None = None) -> None:
    """Note that an access token of its generation was used, unless the row says so already."""
    generation = generation_of(claims)
    if generation is not None and (session is None or not session.seen):
        seen.note(claims.sid, generation)


def check_session(claims: Claims, session: Session, *, now: datetime) -> None:
    """
    Raise TokenError unless the session continues at ``now`` and accepts tokens of this generation.

    PasswordChanged, SessionEnded, Expired and WrongClaims.
    """
    check_continues(session, now=now)
    # A password change refuses every earlier token of the session that it keeps.
    if session.first_generation and (generation_of(claims) or 0) < session.first_generation:
        raise PasswordChanged(f"Token {claims.jti} was issued before the password was changed.")
    _check_time_of_issue(claims, session, now=now)


def check_continues(session: Session, *, now: datetime) -> None:
    """Raise PasswordChanged, SessionEnded or Expired unless the session continues at ``now``."""
    if session.end_reason == EndReason.PASSWORD_CHANGED:
        raise PasswordChanged(f"Session {session.pk} ended with a password change.")
    if session.ended_at is not None:
        raise SessionEnded(f"Session {session.pk} was ended: {session.end_reason}.")
    if now >= session.expires_at and now >= session.expires_at + conf.TOKENS_LEEWAY:
        raise Expired(f"Session {session.pk} reached its absolute limit.")


def _check_time_of_issue(claims: Claims, session: Session, *, now: datetime) -> None:
    """
    Raise WrongClaims for a refresh token that was issued after ``now``, unless the row vouches for it.

    When a clock is set back, tokens of the last minute lie in the future. A refused access token is
    replaced by a refresh, but a refused refresh token loses the session. The row vouches for every
    generation before its own, and for its own time of refresh.
    """
    if claims.generation is not None and claims.generation >= session.generation:
        last = max(now, session.refreshed_at)
        check_issued(claims, now=last, leeway=conf.TOKENS_LEEWAY)

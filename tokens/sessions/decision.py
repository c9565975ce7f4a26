"""Whether what the database has of a session and its user accepts the claims of a token."""

from datetime import datetime
from typing import Any, TypeVar

from ..conf import conf
from ..errors import Denied, Expired, PasswordChanged, SessionEnded, UserGone
from ..jose import Claims, check_issued, generation_of
from ..models import EndReason, Session
from .auth_hash import auth_hash_matches
from .eligibility import require_eligible
from .query import Decisive

Row = TypeVar("Row", bound=Decisive | Session)


def decide(claims: Claims, found: tuple[Row, bool] | None, *, now: datetime) -> Row:
    """Return the row that ``query.find`` found. Raises TokenError if it refuses the claims."""
    if found is None:
        # A session's row outlives its tokens, so the user was deleted together with the session.
        raise UserGone(f"Session {claims.sid} does not exist.")
    session, denied = found
    user: Any = session.user
    if claims.sub != str(user.pk):
        raise UserGone(f"The token's sub is not the user of session {claims.sid}.")
    require_eligible(user)
    check_session(claims, session, now=now)
    if denied:
        raise Denied(f"Token {claims.jti}, its session or its key is denied.")
    if not auth_hash_matches(session, user):
        raise PasswordChanged(f"The password of user {claims.sub} was changed.")
    return session


def check_session(claims: Claims, session: Decisive | Session, *, now: datetime) -> None:
    """
    Raise TokenError unless the session continues at ``now`` and accepts tokens of this generation.

    PasswordChanged, SessionEnded, Expired and WrongClaims.
    """
    check_continues(session, now=now)
    # A password change refuses every earlier token of the session that it keeps.
    if session.first_generation and generation_of(claims) < session.first_generation:
        raise PasswordChanged(f"Token {claims.jti} was issued before the password was changed.")
    if isinstance(session, Session):  # Of a refresh token. An access token has no generation.
        _check_time_of_issue(claims, session, now=now)


def check_continues(session: Decisive | Session, *, now: datetime) -> None:
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

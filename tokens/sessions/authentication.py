"""Which sessions and users admit a token. Every door passes here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..conf import conf
from ..denylist import snapshot
from ..errors import Denied, Expired, PasswordChanged, SessionEnded, UserGone, UserInactive
from ..jose import Claims, TokenType, check, check_issued
from ..models import EndReason, Session
from . import auth_hash, query, verified
from .lazy_user import LazyUser


@dataclass(frozen=True, slots=True)
class Authenticated:
    """
    What a token stands for: its claims, its session and the user.

    An access token's session loads some columns later: see ``query.find``. In the snapshot mode
    session and user are loaded, both at once, when more than the user's key is asked for.
    """

    claims: Claims
    _session: "Session | StrictLookup"
    user: Any

    @property
    def session(self) -> Session:
        """Raises TokenError where it is loaded only now."""
        known = self._session
        return known.session() if isinstance(known, StrictLookup) else known


class StrictLookup:
    """
    One strict look for the session and the user together, when one of them is asked for.

    Raises TokenError then.
    """

    __slots__ = ("_claims", "_now", "_session")

    def __init__(self, claims: Claims, now: datetime) -> None:
        self._claims = claims
        self._now = now
        self._session: Session | None = None

    def session(self) -> Session:
        if self._session is None:
            self._session = _judge(self._claims, now=self._now)
        return self._session

    def user(self) -> Any:
        return self.session().user


def look_up(raw_token: str, *, type: TokenType | None, now: datetime) -> Authenticated:
    """
    Return what a token that is good at ``now`` stands for, by one query.

    ``type`` None admits both types. In the snapshot mode an access token that no id denies is let
    in without the query. Raises TokenError.
    """
    claims = verified.read(raw_token, now=now)
    check(
        claims,
        issuer=conf.TOKENS_ISSUER,
        audience=conf.TOKENS_AUDIENCE,
        now=now,
        leeway=conf.TOKENS_LEEWAY,
        type=type,
    )
    if claims.type is TokenType.ACCESS:
        check_issued(claims, now=now, leeway=conf.TOKENS_LEEWAY)
    if type is TokenType.ACCESS and _is_good_by_snapshot(claims, now=now):
        later = StrictLookup(claims, now)
        return Authenticated(claims, later, LazyUser(claims.sub, later.user))
    session = _judge(claims, now=now)
    return Authenticated(claims, session, session.user)


def _is_good_by_snapshot(claims: Claims, *, now: datetime) -> bool:
    """Tell whether this process can let the token in by itself; False leaves it to the query."""
    if conf.TOKENS_DENYLIST_MODE != "snapshot":
        return False
    # Denials are held for as long as tokens live now: one that was issued for longer is looked up.
    if claims.exp - claims.iat > conf.TOKENS_ACCESS_LIFETIME.total_seconds():
        return False
    return snapshot.is_known_good(claims.ids, now=now)


def _judge(claims: Claims, *, now: datetime) -> Session:
    """Return the session, with its user, if both of them and the denylist admit the claims."""
    found = query.find(claims)
    if found is None:
        # Rows outlive their tokens, so the user was deleted, and the session with them.
        raise UserGone(f"Session {claims.sid} does not exist.")
    session, denied = found
    user: Any = session.user
    if claims.sub != str(session.user_id):
        raise UserGone(f"The token's sub is not the user of session {claims.sid}.")
    if not user.is_active:
        raise UserInactive(f"User {claims.sub} is not active.")
    check_session(session, now=now)
    check_time_of_issue(claims, session, now=now)
    if denied:
        raise Denied(f"Token {claims.jti}, its session or its key is denied.")
    if not auth_hash.auth_hash_matches(session, user):
        raise PasswordChanged(f"The password of user {claims.sub} was changed.")
    if claims.type is TokenType.ACCESS:
        # A password that this very instance sets ends every session but the one it came with.
        user._tokens_current_sid = session.pk
    return session


def check_session(session: Session, *, now: datetime) -> None:
    """Raise PasswordChanged, SessionEnded or Expired unless the session goes on at ``now``."""
    if session.end_reason == EndReason.PASSWORD_CHANGED:
        raise PasswordChanged(f"Session {session.pk} ended with a password change.")
    if session.ended_at is not None:
        raise SessionEnded(f"Session {session.pk} was ended: {session.end_reason}.")
    if now >= session.expires_at and now >= session.expires_at + conf.TOKENS_LEEWAY:
        raise Expired(f"Session {session.pk} reached its absolute limit.")


def check_time_of_issue(claims: Claims, session: Session, *, now: datetime) -> None:
    """
    Raise WrongClaims for a refresh token that was issued after ``now``, and not by its session.

    When a clock is set back, the tokens of the last minute are of the future. An access token is
    then refused, and refreshing heals it; a refresh token that is refused is a session lost. What
    the row knows of, it vouches for: a generation that it left, or its own time of refresh.
    """
    if claims.generation is not None and claims.generation >= session.generation:
        last = max(now, session.refreshed_at)
        check_issued(claims, now=last, leeway=conf.TOKENS_LEEWAY)

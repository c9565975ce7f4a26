"""
Start, authenticate, verify and revoke: a session without its refreshes, which are in ``refreshing``.

``ending`` has the functions that end sessions. Read this module first, and ``refreshing`` second.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils.crypto import constant_time_compare

from .. import clock, denylist, keyring, watching
from ..client import Client, current_client
from ..conf import conf
from ..database import lasting, places
from ..errors import PasswordChanged, SessionEnded
from ..jose import TokenType
from ..models import EndReason, Session, SessionKind
from ..secret import RawToken, hide
from . import events, limit, pairs, writes
from .authentication import Admit, Authenticated, look_up
from .eligibility import require_eligible
from .ending import end_reused, revoke_token
from .locking import LockedUser, lock_for_sign_in
from .pairs import AccessToken, Check, TokenPair
from .refreshing import Answer, answer_to, is_superseded_by, record_repeat, would_refresh


def start(
    user: Any,
    *,
    client: Client | None = None,
    claims: Mapping[str, Any] | None = None,
    idle: timedelta | None = None,
    absolute: timedelta | None = None,
    check: Check | None = None,
    in_transaction: Callable[[], None] | None = None,
    sid: UUID | None = None,
    now: datetime | None = None,
) -> TokenPair:
    """
    Begin a session for a user whose credentials were checked, and return its first pair.

    The caller decides who the user is. ``client`` is by default that of the current request, which
    ``ClientMiddleware`` keeps. ``claims`` are in every access token of the session; ``idle``
    and ``absolute`` are its lifetimes, in place of TOKENS_REFRESH_LIFETIME and TOKENS_SESSION_LIFETIME.
    ``check`` is called with the pair before anything is written, and may raise. ``in_transaction`` is
    called first in the transaction that inserts the session, so that what it writes is committed with
    it, and not if the sign-in comes to nothing. ``sid`` is a new, random id, for a caller who needs it
    before the session begins.

    The user is read again, under a lock, in that transaction: nothing comes of a sign-in whose user
    was changed meanwhile. If the user then has more sessions than TOKENS_SESSIONS_PER_USER, the one
    that was idle longest ends.

    Raises UserGone, UserInactive, PasswordChanged, and ClaimsError for claims that no token can hold.
    """
    now, client = now or clock.now(), client or current_client()
    session = _new_session(
        user,
        SessionKind.PAIR,
        client=client,
        claims=claims,
        idle=idle,
        absolute=absolute,
        sid=sid,
        now=now,
    )
    # First, because it can fail: a claims hook, the encoding, the size of a cookie. Not within the
    # transaction, which keeps every other writer out of SQLite.
    pair = pairs.issue(session, now=now, check=check)
    limited = conf.TOKENS_SESSIONS_PER_USER > 0
    with places.atomic(Session):
        # First, as where a view's own transaction counts the attempt and then changes the user.
        if in_transaction:
            in_transaction()
        stored = _lock_unchanged(user, session)
        writes.insert(session)
        if limited and stored.may_have_many:
            limit.end_excess(session, now=now)
        events.started(session, client)
    return pair


def issue_access_token(
    user: Any,
    *,
    lifetime: timedelta | None = None,
    client: Client | None = None,
    claims: Mapping[str, Any] | None = None,
    sid: UUID | None = None,
    now: datetime | None = None,
) -> AccessToken:
    """
    Return one access token without a refresh token, for example for a link.

    It is valid for ``lifetime``, by default TOKENS_ACCESS_LIFETIME. It has a session of its own, which
    expires with it and cannot be refreshed, so it can be taken back as any other. ``sid`` is as for
    ``start``. Raises what ``start`` raises.
    """
    now, client = now or clock.now(), client or current_client()
    lifetime = lifetime or conf.TOKENS_ACCESS_LIFETIME
    session = _new_session(
        user,
        SessionKind.ACCESS,
        client=client,
        claims=claims,
        idle=lifetime,
        absolute=lifetime,
        sid=sid,
        now=now,
    )
    token = pairs.issue_access(session, now=now)
    with places.atomic(Session):
        _lock_unchanged(user, session)
        writes.insert(session)
        events.issued_alone(session, client)
    return token


def _new_session(
    user: Any,
    kind: SessionKind,
    *,
    client: Client,
    claims: Mapping[str, Any] | None,
    idle: timedelta | None,
    absolute: timedelta | None,
    sid: UUID | None,
    now: datetime,
) -> Session:
    """Return a session that is not stored yet. Raises UserInactive."""
    require_eligible(user)
    expires_at = now + (absolute or conf.TOKENS_SESSION_LIFETIME)
    return Session(
        id=sid or uuid4(),
        user=user,
        # The claim sub is the key as the database returns it, however the caller wrote it.
        user_id=user._meta.pk.to_python(user.pk),
        kind=kind,
        kid=keyring.signing_key(lifetime=idle).kid,
        auth_hash=user.get_session_auth_hash(),
        claims=dict(claims or {}),
        idle_lifetime=idle,
        started_at=now,
        refreshed_at=now,
        idle_until=min(now + (idle or conf.TOKENS_REFRESH_LIFETIME), expires_at),
        expires_at=expires_at,
        ip_address=client.ip_address,
        user_agent=client.user_agent,
        refreshed_ip_address=client.ip_address,
        refreshed_user_agent=client.user_agent,
    )


def _lock_unchanged(user: Any, session: Session) -> LockedUser:
    """
    Return the user as stored, locked. Raises UserRefused if the sign-in came to nothing.

    The session begins after every cut-off, although another host's clock may be ahead.
    """
    stored = lock_for_sign_in(user)
    require_eligible(stored.user)
    session.started_at = denylist.begin_after(session.started_at, stored.cut_off)
    if not constant_time_compare(session.auth_hash, stored.user.get_session_auth_hash()):
        raise PasswordChanged(f"The password of user {user.pk} was changed during the sign-in.")
    return stored


def authenticate(raw_access: RawToken, *, now: datetime | None = None) -> Authenticated:
    """
    Return the user, session and claims of an access token that is good now, by one query.

    In snapshot mode there is no query; session and user are loaded when they are first used.
    Raises TokenError.
    """
    raw_access = hide(raw_access)
    with watching.watched("authenticate"):
        return look_up(raw_access, type=TokenType.ACCESS, now=now or clock.now())


def verify(
    raw_token: RawToken,
    *,
    client: Client | None = None,
    admit: Admit | None = None,
    now: datetime | None = None,
) -> Authenticated:
    """
    Return what ``raw_token``, of either type, would be accepted as.

    A refresh token is accepted if ``refresh`` would answer it. A superseded one is recorded, so that
    a thief learns nothing unnoticed. ``admit`` is called with the claims before the query; if it
    raises, the caller learns nothing about the session. Raises TokenError, and what ``admit`` raises.
    """
    raw_token = hide(raw_token)
    lasting.require(Session)
    now = now or clock.now()
    found = look_up(raw_token, type=None, now=now, admit=admit)
    claims, session = found.claims, found.session
    if claims.type is TokenType.REFRESH:
        answer = answer_to(claims, session, now=now)
        if answer is not Answer.ROTATE and is_superseded_by(claims, session):
            record_repeat(session, client=client or current_client(), answered=False, now=now)
        if answer is Answer.REUSE:
            raise SessionEnded("The refresh token was rotated before.")
    return found


def revoke(
    raw_token: RawToken, *, client: Client | None = None, now: datetime | None = None
) -> None:
    """
    Take the token back, with what depends on it (RFC 7009 §2).

    A refresh token of any generation ends its session; an access token ends itself. Raises
    TokenError if the token was of no use before.
    """
    raw_token = hide(raw_token)
    lasting.require(Session)
    now = now or clock.now()
    found = look_up(raw_token, type=None, now=now)
    if found.claims.type is TokenType.REFRESH and not would_refresh(
        found.claims, found.session, now=now
    ):
        end_reused(found.session, client=client or current_client(), now=now)
        return
    revoke_token(
        found.claims.jti,
        found.session,
        # The holder of a refresh token signs out: their network stays a known one (decision 13).
        reason=EndReason.LOGOUT,
        expires_at=found.claims.expires_at,
        client=client,
        now=now,
    )

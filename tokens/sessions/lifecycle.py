"""
Start, authenticate, verify and revoke: a session without its refreshes, which are in ``refreshing``.

``ending`` has the functions that end sessions. Read this module first, and ``refreshing`` second.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.crypto import constant_time_compare

from .. import clock, denylist, keyring, lasting
from ..client import Client
from ..conf import conf
from ..errors import PasswordChanged, SessionEnded
from ..jose import TokenType
from ..models import EndReason, Session, SessionKind
from . import events, limit, pairs, writes
from .authentication import Authenticated, look_up
from .eligibility import lock, require_eligible
from .ending import end_reused, revoke_token
from .pairs import AccessToken, Check, TokenPair
from .refreshing import Answer, answer_to, record_repeat, would_refresh

# Annotations of the user.
_MANY = "_tokens_has_many_sessions"
_CUT_OFF = "_tokens_cut_off"


def start(
    user: Any,
    *,
    client: Client | None = None,
    claims: Mapping[str, Any] | None = None,
    idle: timedelta | None = None,
    absolute: timedelta | None = None,
    check: Check | None = None,
    in_transaction: Callable[[], None] | None = None,
    now: datetime | None = None,
) -> TokenPair:
    """
    Begin a session for a user whose credentials were checked, and return its first pair.

    The caller decides who the user is. ``claims`` are in every access token of the session; ``idle``
    and ``absolute`` are its lifetimes, in place of TOKENS_REFRESH_LIFETIME and TOKENS_SESSION_LIFETIME.
    ``check`` is called with the pair before anything is written, and may raise. ``in_transaction`` is
    called in the transaction that inserts the session, so that what it writes is committed with it.

    The user is read again, under a lock, in that transaction: nothing comes of a sign-in whose user
    was changed meanwhile. If the user then has more sessions than TOKENS_SESSIONS_PER_USER, the one
    that was idle longest ends.

    Raises UserGone, UserInactive, PasswordChanged, and ClaimsError for claims that no token can hold.
    """
    now = now or clock.now()
    session = _new_session(
        user, SessionKind.PAIR, client=client, claims=claims, idle=idle, absolute=absolute, now=now
    )
    # First, because it can fail: a claims hook, the encoding, the size of a cookie. Not within the
    # transaction, which keeps every other writer out of SQLite.
    pair = pairs.issue(session, now=now, check=check)
    limited = conf.TOKENS_SESSIONS_PER_USER > 0
    with transaction.atomic():
        stored = _lock_unchanged(
            user, session, **({_MANY: limit.may_be_reached()} if limited else {})
        )
        writes.insert(session)
        if limited and getattr(stored, _MANY):
            limit.end_excess(session, now=now)
        events.started(session, client or Client())
        if in_transaction:
            in_transaction()
    return pair


def issue_access_token(
    user: Any,
    *,
    lifetime: timedelta | None = None,
    client: Client | None = None,
    claims: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> AccessToken:
    """
    Return one access token without a refresh token, for example for a link.

    It is valid for ``lifetime``, by default TOKENS_ACCESS_LIFETIME. It has a session of its own, which
    expires with it and cannot be refreshed, so it can be taken back as any other. Raises what
    ``start`` raises.
    """
    now = now or clock.now()
    lifetime = lifetime or conf.TOKENS_ACCESS_LIFETIME
    session = _new_session(
        user,
        SessionKind.ACCESS,
        client=client,
        claims=claims,
        idle=lifetime,
        absolute=lifetime,
        now=now,
    )
    token = pairs.issue_access(session, now=now)
    with transaction.atomic():
        _lock_unchanged(user, session)
        writes.insert(session)
        events.issued_alone(session, client or Client())
    return token


def _new_session(
    user: Any,
    kind: SessionKind,
    *,
    client: Client | None,
    claims: Mapping[str, Any] | None,
    idle: timedelta | None,
    absolute: timedelta | None,
    now: datetime,
) -> Session:
    """Return a session that is not stored yet. Raises UserInactive."""
    require_eligible(user)
    client = client or Client()
    expires_at = now + (absolute or conf.TOKENS_SESSION_LIFETIME)
    return Session(
        id=uuid4(),
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


def _lock_unchanged(user: Any, session: Session, **annotations: Any) -> Any:
    """
    Return the user as stored, locked. Raises UserRefused if the sign-in came to nothing.

    The session begins after every cut-off, although another host's clock may be ahead.
    """
    stored = lock(user, **{_CUT_OFF: denylist.latest_cut_off()}, **annotations)
    require_eligible(stored)
    session.started_at = denylist.begin_after(session.started_at, getattr(stored, _CUT_OFF))
    if not constant_time_compare(session.auth_hash, stored.get_session_auth_hash()):
        raise PasswordChanged(f"The password of user {user.pk} was changed during the sign-in.")
    return stored


def authenticate(raw_access: str, *, now: datetime | None = None) -> Authenticated:
    """
    Return the user, session and claims of an access token that is good now, by one query.

    In snapshot mode there is no query; session and user are loaded when they are first used.
    Raises TokenError.
    """
    return look_up(raw_access, type=TokenType.ACCESS, now=now or clock.now())


def verify(
    raw_token: str, *, client: Client | None = None, now: datetime | None = None
) -> Authenticated:
    """
    Return what ``raw_token``, of either type, would be accepted as.

    A refresh token is accepted if ``refresh`` would answer it. A superseded one is recorded, so that
    a thief learns nothing unnoticed. Raises TokenError.
    """
    lasting.require(Session)
    now = now or clock.now()
    found = look_up(raw_token, type=None, now=now)
    claims, session = found.claims, found.session
    if claims.type is TokenType.REFRESH:
        answer = answer_to(claims, session, now=now)
        if answer in {Answer.REPEAT, Answer.REUSE} and claims.generation != session.generation:
            record_repeat(session, client=client or Client(), answered=False, now=now)
        if answer is Answer.REUSE:
            raise SessionEnded("The refresh token was rotated before.")
    return found


def revoke(raw_token: str, *, client: Client | None = None, now: datetime | None = None) -> None:
    """
    Take the token back, with what depends on it (RFC 7009 §2).

    A refresh token of any generation ends its session; an access token ends itself. Raises
    TokenError if the token was of no use before.
    """
    lasting.require(Session)
    now = now or clock.now()
    found = look_up(raw_token, type=None, now=now)
    if found.claims.type is TokenType.REFRESH and not would_refresh(
        found.claims, found.session, now=now
    ):
        end_reused(found.session, client=client or Client(), now=now)
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

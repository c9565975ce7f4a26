"""
Start, authenticate, verify, refresh and revoke: the rules of a session. Read this module first.

A refresh token is a signed (``sid``, generation) pair. The row of the session holds the current
generation; the caller whose conditional UPDATE moves it on wins the race. Nothing else about
tokens is stored.

    generation in the token      answer
    ───────────────────────      ──────────────────────────────────────────────────────
    the current one              rotate: the next generation, a new pair
    the previous one, in grace   the current pair again (a lost answer, a second tab)
    any older, or later          reuse: the session ends, its access tokens included

``ending`` has the functions that end sessions.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from .. import denylist, keyring
from ..client import Client
from ..conf import conf
from ..errors import Denied, RefreshTokenReused, SessionEnded, UserGone, UserInactive
from ..jose import Claims, TokenType
from ..models import EndReason, Session
from . import events, pairs, writes
from .auth_hash import auth_hashes
from .authentication import Authenticated, check_session, look_up
from .ending import end, end_matching, revoke_token
from .pairs import TokenPair


def start(
    user: Any,
    *,
    client: Client | None = None,
    in_transaction: Callable[[], None] | None = None,
    now: datetime | None = None,
) -> TokenPair:
    """
    Begin a session for a user whose credentials were checked, and return its first pair.

    The caller decides who the user is. ``in_transaction`` is called in the transaction that inserts
    the session, so that what it writes is committed together with it. Raises UserInactive.
    """
    now = now or timezone.now()
    client = client or Client()
    if not user.is_active:
        raise UserInactive("The user is not active.")
    expires_at = now + conf.TOKENS_SESSION_LIFETIME
    session = Session(
        id=uuid4(),
        user=user,
        kid=keyring.signing_key().kid,
        auth_hash=user.get_session_auth_hash(),
        started_at=now,
        refreshed_at=now,
        idle_until=min(now + conf.TOKENS_REFRESH_LIFETIME, expires_at),
        expires_at=expires_at,
        ip_address=client.ip_address,
        user_agent=client.user_agent,
        refreshed_ip_address=client.ip_address,
    )
    # Not around pairs.issue: a transaction keeps every other writer out of SQLite, and a project's
    # claims hook may take long.
    with transaction.atomic() if in_transaction else nullcontext():
        writes.insert(session)
        events.started(session, client)
        if in_transaction:
            in_transaction()
    return pairs.issue(session, now=now)


def authenticate(raw_access: str, *, now: datetime | None = None) -> Authenticated:
    """
    Return the user, session and claims of an access token that is good now, by one query.

    In snapshot mode there is no query; session and user are loaded when they are first used.
    Raises TokenError.
    """
    return look_up(raw_access, type=TokenType.ACCESS, now=now or timezone.now())


def verify(raw_token: str, *, now: datetime | None = None) -> Authenticated:
    """
    Return what ``raw_token``, of either type, would be accepted as. Change nothing.

    A refresh token is accepted if ``refresh`` would answer it. Raises TokenError.
    """
    now = now or timezone.now()
    found = look_up(raw_token, type=None, now=now)
    is_refresh = found.claims.type is TokenType.REFRESH
    if is_refresh and not would_refresh(found.claims, found.session, now=now):
        raise SessionEnded("The refresh token was rotated before.")
    return found


def refresh(
    raw_refresh: str, *, client: Client | None = None, now: datetime | None = None
) -> TokenPair:
    """
    Rotate a refresh token and return its successor pair.

    The first use wins. During the grace the previous token is answered with the current pair again.
    Any other token ends the whole session, because the server cannot tell the thief from the client
    (RFC 9700 §4.14.2). That end is committed before RefreshTokenReused is raised.

    Raises TokenError.
    """
    # The instant of arrival: a caller who queued behind the winner is not late.
    now = now or timezone.now()
    client = client or Client()
    found = look_up(raw_refresh, type=TokenType.REFRESH, now=now)
    generation, session = found.claims.generation, found.session
    if generation == session.generation:
        rotated = _rotate(session, client=client, now=now)
        if rotated:
            _refuse_revoked_meanwhile(found, client=client, now=now)
            events.refreshed(session, client)
            return pairs.issue(session, now=now)
        # Another caller moved the row between the query and the UPDATE: read it again, once.
        _read_again(session)
        check_session(session, now=now)
    if _in_grace(found.claims, session, now=now):
        return pairs.issue(session, now=now)
    _end_reused(session, client=client, now=now)
    raise RefreshTokenReused(f"Generation {generation} came back; {session.generation} is current.")


def revoke(raw_token: str, *, client: Client | None = None, now: datetime | None = None) -> None:
    """
    Take the token back, with what depends on it (RFC 7009 §2).

    A refresh token of any generation ends its session; an access token ends itself. Raises
    TokenError if the token was of no use before.
    """
    now = now or timezone.now()
    found = look_up(raw_token, type=None, now=now)
    revoke_token(
        found.claims.jti,
        found.claims.type,
        found.session,
        # The holder of a refresh token signs out: their network stays a known one (decision 13).
        reason=EndReason.LOGOUT,
        expires_at=found.claims.expires_at,
        client=client,
        now=now,
    )


def find_by_refresh_token(raw_refresh: str, *, now: datetime | None = None) -> Authenticated:
    """
    Return the session of a refresh token of any generation, for ending it.

    Raises TokenError; SessionEnded is one.
    """
    return look_up(raw_refresh, type=TokenType.REFRESH, now=now or timezone.now())


def end_after_password_change(user: Any, *, keep: UUID | None, now: datetime | None = None) -> int:
    """End the sessions that began with another password; ``keep`` continues with the new one."""
    if keep is not None:
        Session.objects.filter(pk=keep, user=user).update(auth_hash=user.get_session_auth_hash())
    outdated = Session.objects.filter(user=user, ended_at=None)
    outdated = outdated.exclude(auth_hash__in=list(auth_hashes(user)))
    return end_matching(outdated, reason=EndReason.PASSWORD_CHANGED, now=now)


def keep_after_rehash(user: Any, *, former_hashes: Iterable[str]) -> None:
    """Keep the user's sessions when the same password gets a new hash."""
    Session.objects.filter(user=user, auth_hash__in=list(former_hashes)).update(
        auth_hash=user.get_session_auth_hash()
    )


def would_refresh(claims: Claims, session: Session, *, now: datetime) -> bool:
    """Return whether ``refresh`` would answer this refresh token of a session that continues."""
    return claims.generation == session.generation or _in_grace(claims, session, now=now)


def _rotate(session: Session, *, client: Client, now: datetime) -> bool:
    """Move the row to the next generation; return False, changing nothing, if it has moved on."""
    session.kid = keyring.signing_key().kid
    session.idle_until = min(now + conf.TOKENS_REFRESH_LIFETIME, session.expires_at)
    won = writes.rotate(
        session.pk,
        session.generation,
        kid=session.kid,
        refreshed_at=now,
        refreshed_ip_address=client.ip_address,
        idle_until=session.idle_until,
    )
    if won:
        session.generation += 1
        session.refreshed_at = now
    return won


def _refuse_revoked_meanwhile(found: Authenticated, *, client: Client, now: datetime) -> None:
    """
    End the session and raise Denied if the token's key was revoked after the query.

    A revocation makes another key sign, so nothing is asked while the key is the same.
    """
    if found.session.kid != found.claims.kid and denylist.is_denied(found.claims):
        with transaction.atomic(durable=True):
            end([found.session], reason=EndReason.REVOKED, client=client, now=now)
        raise Denied(f"Key {found.claims.kid} was revoked during the refresh.")


def _read_again(session: Session) -> None:
    try:
        session.refresh_from_db()
    except Session.DoesNotExist:
        raise UserGone(f"Session {session.pk} was deleted, with its user.") from None


def _in_grace(claims: Claims, session: Session, *, now: datetime) -> bool:
    previous = claims.generation == session.generation - 1
    return previous and now - session.refreshed_at <= conf.TOKENS_REFRESH_GRACE


def _end_reused(session: Session, *, client: Client, now: datetime) -> None:
    # durable: an outer transaction that the error then rolls back would undo the revocation.
    with transaction.atomic(durable=True):
        ended = end([session], reason=EndReason.REUSE, client=client, now=now)
    if ended:
        events.reused(session, client)

"""
The life of a session: start, authenticate, refresh, end. The room to read first.

A refresh token is a signed (``sid``, generation) pair. The row of the session knows the current
generation; whoever moves it on, by one conditional UPDATE, has won the race. Nothing else
about tokens is stored.

    generation in the token      answer
    ───────────────────────      ──────────────────────────────────────────────────────
    the current one              rotate: one more, a new pair
    the one before, in grace     the current pair again (a lost answer, a second tab)
    any older, or later          reuse: the session ends, its access tokens included

How a session ends with all its tokens is in ``ending``, and part of this room's verbs.
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
from ..models import DeniedToken, EndReason, Session
from . import events, pairs, writes
from .auth_hash import auth_hashes
from .authentication import Authenticated, check_session, look_up
from .ending import end, end_matching
from .pairs import TokenPair


def start(
    user: Any,
    *,
    client: Client | None = None,
    in_transaction: Callable[[], None] | None = None,
    now: datetime | None = None,
) -> TokenPair:
    """
    Begin a session for a user whose credentials were checked and return its first pair.

    The caller decides who the user is; UserInactive is raised all the same for one who may not
    come in. What ``in_transaction`` writes is committed together with the session.
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
    # Around the row alone: meanwhile SQLite lets nobody else write, and a project's hook may take long.
    with transaction.atomic() if in_transaction else nullcontext():
        writes.insert(session)
        events.started(session, client)
        if in_transaction:
            in_transaction()
    return pairs.issue(session)


def authenticate(raw_access: str, *, now: datetime | None = None) -> Authenticated:
    """
    Return the user, session and claims of an access token that is good now, by one query.

    In the snapshot mode it is none, and session and user are loaded when they are asked for.

    Raises TokenError.
    """
    return look_up(raw_access, type=TokenType.ACCESS, now=now or timezone.now())


def verify(raw_token: str, *, now: datetime | None = None) -> Authenticated:
    """
    Return what ``raw_token``, of either type, would be accepted as; change nothing.

    A refresh token passes as long as ``refresh`` would answer it. Raises TokenError.
    """
    now = now or timezone.now()
    found = look_up(raw_token, type=None, now=now)
    if found.claims.type is TokenType.REFRESH and not would_refresh(found, now=now):
        raise SessionEnded("The refresh token was rotated before.")
    return found


def refresh(
    raw_refresh: str, *, client: Client | None = None, now: datetime | None = None
) -> TokenPair:
    """
    Rotate a refresh token and return its successor pair.

    The first use wins. The previous one is answered with the current pair again during the grace;
    any other ends the whole session, because the server cannot tell the thief from the client
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
            return pairs.issue(session)
        # Another caller moved the row between the look and the UPDATE: look again, once.
        _read_again(session)
        check_session(session, now=now)
    if _in_grace(found.claims, session, now=now):
        return pairs.issue(session)
    _end_reused(session, client=client, now=now)
    raise RefreshTokenReused(f"Generation {generation} came back; {session.generation} is current.")


def revoke(raw_token: str, *, client: Client | None = None, now: datetime | None = None) -> None:
    """
    Make the token, and what hangs on it, useless (RFC 7009 §2).

    A refresh token of any generation ends its session; an access token ends itself. Raises
    TokenError for a token that was of no use before.
    """
    now = now or timezone.now()
    found = look_up(raw_token, type=None, now=now)
    if found.claims.type is TokenType.REFRESH:
        # By its own holder: a sign-out, after which the network stays a known one (decision 13).
        end([found.session], reason=EndReason.LOGOUT, client=client, now=now)
        return
    denylist.deny(
        [(found.claims.jti, found.session.user_id)],
        kind=DeniedToken.Kind.TOKEN,
        reason=EndReason.REVOKED.value,
        until=found.claims.expires_at + 2 * conf.TOKENS_LEEWAY,
        address=client.ip_address if client else None,
        now=now,
    )


def find_by_refresh_token(raw_refresh: str, *, now: datetime | None = None) -> Authenticated:
    """
    Return the session of a refresh token of any generation, for ending it.

    Raises TokenError, SessionEnded among them.
    """
    return look_up(raw_refresh, type=TokenType.REFRESH, now=now or timezone.now())


def end_after_password_change(user: Any, *, keep: UUID | None, now: datetime | None = None) -> int:
    """End the sessions that began under another password; ``keep`` goes on under the new one."""
    if keep is not None:
        Session.objects.filter(pk=keep, user=user).update(auth_hash=user.get_session_auth_hash())
    outdated = Session.objects.filter(user=user, ended_at=None)
    outdated = outdated.exclude(auth_hash__in=list(auth_hashes(user)))
    return end_matching(outdated, reason=EndReason.PASSWORD_CHANGED, now=now)


def keep_after_rehash(user: Any, *, from_hashes: Iterable[str]) -> None:
    """Keep the sessions through a new hash of the same password."""
    Session.objects.filter(user=user, auth_hash__in=list(from_hashes)).update(
        auth_hash=user.get_session_auth_hash()
    )


def _rotate(session: Session, *, client: Client, now: datetime) -> bool:
    """Move the row to the next generation; False, and nothing changed, if it has moved on."""
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
    End the session whose token's key was revoked after the look, and raise Denied.

    Who signs after a revocation is another key, so nothing is asked as long as it is the same.
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


def would_refresh(found: Authenticated, *, now: datetime) -> bool:
    """Tell whether ``refresh`` answers this refresh token, the session being as it is."""
    current = found.claims.generation == found.session.generation
    return current or _in_grace(found.claims, found.session, now=now)


def _in_grace(claims: Claims, session: Session, *, now: datetime) -> bool:
    previous = claims.generation == session.generation - 1
    return previous and now - session.refreshed_at <= conf.TOKENS_REFRESH_GRACE


def _end_reused(session: Session, *, client: Client, now: datetime) -> None:
    # durable: an outer transaction that the error then rolls back would undo the revocation.
    with transaction.atomic(durable=True):
        ended = end([session], reason=EndReason.REUSE, client=client, now=now)
    if ended:
        events.reused(session, client)

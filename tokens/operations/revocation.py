"""
How operators and staff revoke tokens: all sessions, those of a user, one session, one token.

An operator first makes a target, so that its cost can be shown and confirmed; ``carry_out`` then
revokes it, in one transaction. Staff denies one token, or one ``jti``, and is shown the reason if it
was refused already.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Count
from django.utils.translation import gettext as _

from .. import clock, denylist, sessions
from ..conf import conf
from ..errors import Denied, Expired, Malformed, SessionEnded, UserGone, WithoutKeyID
from ..jose import COMPACT_JWS, Claims, TokenType, parse_jti
from ..models import (
    DeniedToken,
    EndReason,
    Session,
    SessionQuerySet,
    SessionState,
    fetch_uncached,
    username_from,
)
from ..secret import RawToken, Secret, hide
from .tally import first_window


class UnknownTarget(Exception):
    """No user, session or token matches; the message says which."""


@dataclass(frozen=True, slots=True)
class Target:
    """
    Sessions: all of them, or with ``user`` those of that user.

    Or, with a ``jti``, one access token of a session that continues.
    """

    sessions: SessionQuerySet
    jti: str = ""
    user: Any = None
    is_everything: bool = False


@dataclass(frozen=True, slots=True)
class Cost:
    """
    What a revocation affects: live sessions, their users, and single access tokens.

    The numbers are minimums if ``exact`` is False.
    """

    sessions: int = 0
    users: int = 0
    tokens: int = 0
    exact: bool = True

    def __bool__(self) -> bool:
        return bool(self.sessions or self.tokens or not self.exact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """
    How one token was denied, and the id that was put on the denylist.

    ``session_ended`` is true for a refresh token, whose session ended with it.
    """

    session: Session
    session_ended: bool
    value: str


def everything() -> Target:
    return Target(Session.objects.all(), is_everything=True)


def of_user(name: str) -> Target:
    """Return the sessions of the user with this USERNAME_FIELD. Raises UnknownTarget."""
    users = get_user_model()
    username = username_from(name)
    named = users._default_manager.filter(**{users.USERNAME_FIELD: username})
    found = [] if username is None else fetch_uncached(named)
    if not found:
        raise UnknownTarget(f"No user has the {users.USERNAME_FIELD} {name!r}.")
    return Target(Session.objects.filter(user=found[0]), user=found[0])


def of_session(sid: UUID) -> Target:
    """Raises UnknownTarget."""
    found = Session.objects.filter(pk=sid)
    if not found.exists():
        raise UnknownTarget(f"No session has the sid {sid}.")
    return Target(found)


def of_token(jti: str) -> Target:
    """
    Return the session of a refresh token, or the access token alone (RFC 7009 §2.1).

    Raises UnknownTarget for a ``jti`` that no token issued so far can have.
    """
    parsed = parse_jti(jti)
    if parsed is None:
        if COMPACT_JWS.fullmatch(jti.strip()):
            # The message does not repeat the token: it may still be good.
            raise UnknownTarget(
                "That is a whole token, not a jti. manage.py explain_token reads it."
            )
        raise UnknownTarget(f"{jti!r} is not the jti of a token issued here.")
    sid, generation, type = parsed
    found = Session.objects.filter(pk=sid)
    if not found.filter(generation__gte=generation).exists():
        raise UnknownTarget(f"No token has the jti {jti!r}.")
    return Target(found, jti if type is TokenType.ACCESS else "")


def cost(target: Target, *, now: datetime | None = None) -> Cost:
    """Count what revoking ``target`` affects: sessions and tokens that users can still use."""
    rows, exact = target.sessions, True
    if target.is_everything:
        rows, exact = first_window(rows.filter(ended_at=None), "-expires_at")
    live = _accepted_by_any_host(rows, now=now or clock.now())
    if target.jti:
        denied = DeniedToken.objects.filter(value=target.jti).exists()
        return Cost(tokens=int(live.exists() and not denied))
    found = live.aggregate(sessions=Count("*"), users=Count("user", distinct=True))
    return Cost(**found, exact=exact)


def carry_out(
    target: Target,
    *,
    note: str,
    by: Any = None,
    now: datetime | None = None,
) -> int:
    """
    Revoke ``target``, and return how many sessions or tokens that were; for all, at least how many.

    Every host refuses them from its next request on. ``note`` is the reason for the denylist, ``by``
    the staff member. A session that begins afterwards is not revoked.
    """
    began = now or clock.now()
    if target.jti:
        session = target.sessions.first()
        if session is None:
            return 0  # It has been deleted with its user, so the token is refused as well.
        sessions.revoke_token(target.jti, session, note=note, by=by, now=began)
        return 1
    if target.is_everything:
        found = cost(target, now=began)
        sessions.revoke_everything(note=note, by=by, now=began)
        return found.sessions
    if target.user is not None:
        return sessions.revoke_user(target.user, note=note, by=by, now=began)
    return sessions.end_matching(
        _accepted_by_any_host(target.sessions, now=began),
        reason=EndReason.REVOKED,
        note=note,
        by=by,
        now=began,
    )


def identify(raw_token: RawToken, *, now: datetime | None = None) -> Claims:
    """
    Return the claims of a token that one of our keys signed, even if it is expired or denied.

    Raises TokenError; UnknownKey if the key was revoked or deleted, so that no signature can be
    verified.
    """
    raw_token = hide(raw_token)
    now = now or clock.now()
    stripped = Secret(raw_token.reveal().strip())
    try:
        return sessions.read_claims(stripped, now=now, verify_exp=False)
    except WithoutKeyID:
        # Of another package: while its tokens are taken over, a valid one has a session here.
        return sessions.verify(stripped, now=now).claims


def deny_token(
    raw_token: RawToken, *, note: str, by: Any = None, now: datetime | None = None
) -> Denial:
    """
    Revoke one token: an access token itself, a refresh token with its session (RFC 7009 §2.1).

    Raises TokenError, also for a token that was refused before; then no row was changed.
    """
    raw_token = hide(raw_token)
    now = now or clock.now()
    claims = identify(raw_token, now=now)
    if claims.expires_at + conf.TOKENS_LEEWAY <= now:
        raise Expired(f"The token expired at {claims.expires_at:%Y-%m-%d %H:%M:%S} UTC.")
    session = _find(claims.sid, claims.ids, now=now)
    expires_at = claims.expires_at
    return _deny(claims.jti, claims.type, session, expires_at=expires_at, note=note, by=by, now=now)


def deny_jti(jti: str, *, note: str, by: Any = None, now: datetime | None = None) -> Denial:
    """
    Do as ``deny_token`` does, given only the token's ``jti``.

    Raises TokenError: Malformed for a ``jti`` that no token can have.
    """
    now = now or clock.now()
    parsed = parse_jti(jti)
    if parsed is None:
        raise Malformed(_('A jti here is 32 hexadecimal digits, a dot, a number, and "a" or "r".'))
    sid, generation, type = parsed
    session = _find(sid, [jti, str(sid)], now=now)
    if generation > session.generation:
        text = _("No such token was issued: the session is at generation %(generation)s.")
        raise Malformed(text % {"generation": session.generation})
    return _deny(jti, type, session, expires_at=None, note=note, by=by, now=now)


def _find(sid: UUID, ids: Iterable[str], *, now: datetime) -> Session:
    """Return the session, by one query, if a token of it can still be denied. Raises TokenError."""
    rows = Session.objects.select_related("user").with_revoked()
    session: Any = rows.annotate(denied=denylist.denied(ids)).filter(pk=sid).first()
    if session is None:
        raise UserGone(_("Session %(sid)s no longer exists.") % {"sid": sid})
    state = session.state_at(now - 2 * conf.TOKENS_LEEWAY)
    if state is SessionState.ENDED:
        why = {"reason": session.get_end_reason_display()}
        raise SessionEnded(_("Its session ended before: %(reason)s.") % why)
    if session.denied:
        raise Denied(_("This token is on the denylist already."))
    if state is not SessionState.LIVE:
        raise SessionEnded(_("Its session is no longer live: %(state)s.") % {"state": state.label})
    return session  # type: ignore[no-any-return]


def _deny(
    jti: str, type: TokenType, session: Session, *, note: str, by: Any, now: datetime, **how: Any
) -> Denial:
    sessions.revoke_token(jti, session, note=note, by=by, now=now, **how)
    ended = type is TokenType.REFRESH
    return Denial(session=session, session_ended=ended, value=str(session.pk) if ended else jti)


def _accepted_by_any_host(matching: SessionQuerySet, *, now: datetime) -> SessionQuerySet:
    """Keep the sessions that some host accepts by its own clock, which may differ by the leeway."""
    apart = conf.TOKENS_LEEWAY
    # Twice: once for the clocks, and once for the leeway that the host itself grants.
    return matching.live(now=now - 2 * apart).filter(started_at__lte=now + apart)

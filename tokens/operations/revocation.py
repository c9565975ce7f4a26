"""
What an operator takes back: everybody's sessions, one user's, one session, or one token.

A target is made first, so that its cost can be shown and asked about; ``carry_out`` then takes it
back in batches. Killed in the middle, what has ended stays ended, and the same target made again
is the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Count
from django.utils import timezone

from .. import denylist, sessions
from ..conf import conf
from ..jose import COMPACT_JWS, TokenType, parse_jti
from ..models import DeniedToken, EndReason, Session, SessionQuerySet


class UnknownTarget(Exception):
    """There is nothing by that name; the message says so."""


@dataclass(frozen=True, slots=True)
class Target:
    """Sessions, or with a ``jti`` that one access token of a session that goes on."""

    sessions: SessionQuerySet
    jti: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """How much is taken back: live sessions, of how many users, and tokens by themselves."""

    sessions: int = 0
    users: int = 0
    tokens: int = 0

    def __bool__(self) -> bool:
        return bool(self.sessions or self.tokens)


def everything() -> Target:
    return Target(Session.objects.all())


def of_user(name: str) -> Target:
    """Return the sessions of the user with this USERNAME_FIELD. Raises UnknownTarget."""
    users = get_user_model()
    try:
        user = users._default_manager.get(**{users.USERNAME_FIELD: name})
    except (users.DoesNotExist, ValueError):
        # ValueError: a name that this field can never hold.
        raise UnknownTarget(f"No user has the {users.USERNAME_FIELD} {name!r}.") from None
    return Target(Session.objects.filter(user=user))


def of_session(sid: UUID) -> Target:
    """Raises UnknownTarget."""
    found = Session.objects.filter(pk=sid)
    if not found.exists():
        raise UnknownTarget(f"No session has the sid {sid}.")
    return Target(found)


def of_token(jti: str) -> Target:
    """
    Return the session of a refresh token, or the access token alone, as RFC 7009 §2.1 has it.

    Raises UnknownTarget for a ``jti`` that no token issued so far can have.
    """
    parsed = parse_jti(jti)
    if parsed is None:
        if COMPACT_JWS.fullmatch(jti.strip()):
            # Said without repeating it: it may still be good.
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
    """Return what taking ``target`` back takes from people who can still use it."""
    live = _live(target.sessions, now=now or timezone.now())
    if target.jti:
        denied = DeniedToken.objects.filter(value=target.jti).exists()
        return Cost(tokens=int(live.exists() and not denied))
    found = live.aggregate(sessions=Count("*"), users=Count("user", distinct=True))
    return Cost(**found)


def carry_out(
    target: Target,
    *,
    note: str,
    by: Any = None,
    progress: Callable[[int], None] | None = None,
    now: datetime | None = None,
) -> int:
    """
    Take ``target`` back, and return how many sessions or tokens that were.

    Every host refuses them from its next request on. ``note`` is the reason for the denylist,
    ``by`` who of the staff did it. ``progress`` is told how many sessions have ended so far, each
    time that more of them durably have. A session that begins meanwhile is spared.
    """
    began = now or timezone.now()
    if target.jti:
        return _deny(target, note=note, by=by, now=began)
    ended = 0

    def report(in_this_pass: int) -> None:
        if progress:
            progress(ended + in_this_pass)

    # Again until a pass finds nothing: a sign-in that was under way may have committed behind it.
    while in_this_pass := sessions.end_matching(
        _live(target.sessions, now=began),
        reason=EndReason.REVOKED,
        note=note,
        by=by,
        progress=report,
        now=now,
    ):
        ended += in_this_pass
    return ended


def _live(matching: SessionQuerySet, *, now: datetime) -> SessionQuerySet:
    """Keep the sessions that any host accepts, by its own clock: it may be that much behind."""
    apart = conf.TOKENS_LEEWAY
    # Once for the clocks, and once for the leeway that the host itself grants.
    return matching.live(now=now - 2 * apart).filter(started_at__lte=now + apart)


def _deny(target: Target, *, note: str, by: Any, now: datetime) -> int:
    session = target.sessions.first()
    if session is None:
        return 0  # It was deleted with its user meanwhile, which refuses the token as well.
    denylist.deny(
        [(target.jti, session.user_id)],
        kind=DeniedToken.Kind.TOKEN,
        reason=note,
        by=by,
        # The row does not say when an older token was issued, nor under which lifetime.
        until=session.expires_at + 2 * conf.TOKENS_LEEWAY,
        now=now,
    )
    return 1

"""
How tokens are taken back, with one function each: a token, sessions, a user's sessions, a query.

``revoking`` has the functions that revoke by a cut-off, and a key's function is ``keyring.rotate``. Every
entry point (API, admin, commands) calls these.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from .. import clock, denylist
from ..client import Client
from ..database import lasting, places
from ..jose import TokenType, parse_jti
from ..models import DeniedToken, EndReason, Session, SessionQuerySet
from . import events, seen, status

BATCH_SIZE = 500  # sessions that one statement ends
# A session that was not refreshed for so long has no access token left, whatever the settings of the
# process that issued it.
UNUSED_FOR = timedelta(days=1)


def revoke_token(
    jti: str,
    session: Session,
    *,
    reason: EndReason = EndReason.REVOKED,
    expires_at: datetime | None = None,
    note: str = "",
    by: Any = None,
    client: Client | None = None,
    now: datetime | None = None,
) -> None:
    """
    Take one token back: an access token itself, a refresh token with its session (RFC 7009 §2.1).

    ``expires_at`` is the access token's ``exp`` where it is known. Otherwise the denial lasts as long
    as any token of the session can: the row does not say when an older token was issued. A denied
    token was seen, so its pair is given again within the grace only.
    """
    lasting.require(Session)
    now = now or clock.now()
    parsed = parse_jti(jti)
    if parsed is None or parsed[0] != session.pk:
        raise ValueError("The jti is not one of the session's.")
    _, generation, type = parsed
    if type is TokenType.REFRESH:
        end([session], reason=reason, note=note, by=by, client=client, now=now)
        return
    until = denylist.last_accepted(expires_at or session.expires_at)

    def work() -> None:
        seen.mark([(session.pk, generation)])
        status.refuse_token(session, generation, now=now)
        denylist.deny(
            [(jti, session.user_id)],
            kind=DeniedToken.Kind.TOKEN,
            reason=note or EndReason.REVOKED.value,
            by=by,
            until=max(until, now + denylist.longest_accepted()),
            address=client.ip_address if client else None,
            now=now,
        )

    def again() -> None:
        if _existing({session.pk: session.user_id}):
            work()

    lasting.do(work, Session, again=again)


def end(
    sessions: Iterable[Session],
    *,
    reason: EndReason,
    note: str = "",
    by: Any = None,
    client: Client | None = None,
    keep_owner: bool = True,
    lasts: bool = True,
    now: datetime | None = None,
) -> int:
    """
    End these sessions with all their tokens, and return how many had not ended before.

    ``note`` is the reason that staff gave, ``by`` the staff member. ``keep_owner`` False leaves the
    user out of the denylist, for a user who is being deleted. The end lasts if a transaction that
    the caller has open is rolled back, unless ``lasts`` is False: for an end that is part of a
    change to the user. Raises TypeError for a reason that is no EndReason.
    """
    lasting.require(Session)
    how = _how(reason=reason, note=note, by=by, client=client, keep_owner=keep_owner, now=now)
    owners = {session.pk: session.user_id for session in sessions}
    if not owners:
        return 0
    if not lasts:
        return _end(owners, how)
    return lasting.do(
        partial(_end, owners, how), Session, again=lambda: _end(_existing(owners), how)
    )


def end_reused(session: Session, *, client: Client, now: datetime) -> None:
    """End the session because a superseded refresh token was used, and report the reuse once."""
    how = _how(reason=EndReason.REUSE, client=client, now=now)

    def work() -> None:
        if _end({session.pk: session.user_id}, how):
            events.reused(session, client)

    lasting.do(work, Session)


def as_reason(reason: EndReason | str) -> EndReason:
    """Return the reason itself or the one that its value names. Raises TypeError."""
    try:
        return EndReason(reason)
    except ValueError:
        allowed = ", ".join(f"EndReason.{member.name}" for member in EndReason)
        raise TypeError(f"The reason is {reason!r}. It may be one of {allowed}.") from None


@dataclass(frozen=True, slots=True)
class _How:
    """Why, by whom and when sessions end; ``began`` is the ``time.monotonic()`` of ``now``."""

    reason: EndReason
    note: str
    by: Any
    client: Client | None
    keep_owner: bool
    now: datetime
    began: float

    @property
    def columns(self) -> dict[str, Any]:
        """What an end writes to the rows."""
        return {
            "ended_at": self.now,
            "end_reason": self.reason,
            "ended_ip_address": self.client.ip_address if self.client else None,
        }


def _how(
    *,
    reason: EndReason | str,
    note: str = "",
    by: Any = None,
    client: Client | None = None,
    keep_owner: bool = True,
    now: datetime | None = None,
) -> _How:
    now = now or clock.now()
    return _How(as_reason(reason), note, by, client, keep_owner, now, time.monotonic())


def _end(owners: dict[UUID, Any], how: _How) -> int:
    ended = 0
    with places.atomic(Session):
        for batch in _batches(list(owners)):
            left = Session.objects.filter(pk__in=batch, ended_at=None)
            ended += left.update(**how.columns)
        _deny(owners, how)
    ended_sids = _ended_now(list(owners), ended, how)
    _report({sid: owners[sid] for sid in ended_sids}, how)
    return ended


def end_with_user(user: Any, matching: SessionQuerySet, **why: Any) -> int:
    """
    End the user's sessions that match, by one statement, as a part of a change to the user.

    The end is undone with the change. ``why`` is as for ``end``, without ``lasts``. Return how many
    had not ended before.

    Sessions whose last access token has long expired are not denied: the row alone refuses their
    refresh tokens. More than BATCH_SIZE others are not denied one by one either.
    """
    how = _how(**why)
    with places.atomic(Session):
        if not matching.filter(user=user, ended_at=None).update(**how.columns):
            return 0
        # By user too: those of another user may have ended at the same instant.
        rows = Session.objects.filter(user=user, ended_at=how.now, end_reason=how.reason)
        ended = list(rows.values_list("pk", "user_id", "refreshed_at"))
        lately = how.now - max(denylist.longest_accepted(), UNUSED_FOR)
        used = {sid: owner for sid, owner, last in ended if last > lately}
        _, owner, _ = ended[0]
        if len(used) <= BATCH_SIZE or len(str(owner)) > denylist.MAX_KEY_LENGTH:
            _deny(used, how)
        else:
            _ask_about(owner, how)
    _report({sid: owner for sid, owner, _ in ended}, how)
    return len(ended)


def _deny(owners: dict[UUID, Any], how: _How) -> None:
    denylist.deny(
        [(str(sid), owner if how.keep_owner else None) for sid, owner in owners.items()],
        kind=DeniedToken.Kind.SESSION,
        reason=how.note or how.reason.value,
        by=how.by,
        until=_until(how),
        now=how.now,
    )


def _ask_about(owner: Any, how: _How) -> None:
    denylist.ask_about(
        str(owner),
        version=int(how.now.timestamp() * 1_000_000),
        user_id=owner if how.keep_owner else None,
        reason=how.reason.value,
        until=_until(how),
        now=how.now,
    )


def _until(how: _How) -> datetime:
    # While this waited for a lock, another request may have issued a token.
    waited = timedelta(seconds=time.monotonic() - how.began)
    return how.now + waited + denylist.longest_accepted()


def _report(owners: dict[UUID, Any], how: _How) -> None:
    events.ended(owners, how.reason, note=how.note, by=how.by, client=how.client)


def end_matching(matching: SessionQuerySet, **how: Any) -> int:
    """
    End the sessions of a query, however many, and return how many had not ended before.

    They end in batches, each in a transaction of its own. ``how`` is as for ``end``.
    """
    # All ids at once, a hundred bytes each. To find the next batch only, a database may search and
    # sort all that remain, for every batch.
    pks = list(matching.order_by("pk").values_list("pk", flat=True))
    ended = 0
    for batch in _batches(pks):
        left = Session.objects.filter(pk__in=batch, ended_at=None)
        ended += end(left.only("pk", "user_id"), **how)
    return ended


def end_all(user: Any, *, reason: EndReason, **how: Any) -> int:
    """End every session of ``user``; return how many. ``how`` is as for ``end``."""
    return end_others(user, keep=(), reason=reason, **how)


def end_others(user: Any, *, keep: Iterable[UUID], reason: EndReason, **how: Any) -> int:
    """
    End every session of ``user`` except those with the ids ``keep``, and return how many.

    ``how`` is as for ``end``. Django's own sessions end too. One device can have several sessions:
    those that its requests bring are kept together.
    """
    others = Session.objects.filter(user=user, ended_at=None).exclude(pk__in=list(keep))
    return end_matching(others, reason=reason, **how)


def _existing(owners: dict[UUID, Any]) -> dict[UUID, Any]:
    """Return those sessions that exist: a rollback may have removed others, with their user."""
    return {
        sid: owners[sid]
        for batch in _batches(list(owners))
        for sid in Session.objects.filter(pk__in=batch).values_list("pk", flat=True)
    }


def _ended_now(sids: list[UUID], count: int, how: _How) -> Iterable[UUID]:
    """Return those of ``sids`` that ended now and not before: there are ``count`` of them."""
    if count in {0, len(sids)}:
        return sids[:count]
    ended = Session.objects.filter(ended_at=how.now, end_reason=how.reason)
    return [
        sid
        for batch in _batches(sids)
        for sid in ended.filter(pk__in=batch).values_list("pk", flat=True)
    ]


def _batches(ids: list[UUID]) -> Iterable[list[UUID]]:
    return (ids[i : i + BATCH_SIZE] for i in range(0, len(ids), BATCH_SIZE))

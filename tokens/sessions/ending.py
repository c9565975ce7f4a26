"""
How tokens are taken back, with one function each: a token, sessions, a user's sessions, a query.

The key's function is ``keyring.rotate``. Every entry point (API, admin, commands) calls these.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from .. import clock, denylist, lasting
from ..client import Client
from ..jose import TokenType, parse_jti
from ..models import DeniedToken, EndReason, Session, SessionQuerySet
from . import events, seen

BATCH_SIZE = 500  # sessions that one statement ends


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
    reason = as_reason(reason)
    now = now or clock.now()
    owners = {session.pk: session.user_id for session in sessions}
    if not owners:
        return 0
    how = _How(reason, note, by, client, keep_owner, now, time.monotonic())
    if not lasts:
        return _end(owners, how)
    return lasting.do(
        partial(_end, owners, how), Session, again=lambda: _end(_existing(owners), how)
    )


def end_reused(session: Session, *, client: Client, now: datetime) -> None:
    """End the session because a superseded refresh token was used, and report the reuse once."""
    how = _How(EndReason.REUSE, "", None, client, True, now, time.monotonic())

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
    """Why and by whom sessions end, and since when (by ``time.monotonic()``) this is under way."""

    reason: EndReason
    note: str
    by: Any
    client: Client | None
    keep_owner: bool
    now: datetime
    began: float


def _end(owners: dict[UUID, Any], how: _How) -> int:
    ended = 0
    with transaction.atomic():
        for batch in _batches(list(owners)):
            ended += Session.objects.filter(pk__in=batch, ended_at=None).update(
                ended_at=how.now,
                end_reason=how.reason,
                ended_ip_address=how.client.ip_address if how.client else None,
            )
        # While this waited for the lock, another request may have issued a token.
        waited = timedelta(seconds=time.monotonic() - how.began)
        denylist.deny(
            [(str(sid), owner if how.keep_owner else None) for sid, owner in owners.items()],
            kind=DeniedToken.Kind.SESSION,
            reason=how.note or how.reason.value,
            by=how.by,
            until=how.now + waited + denylist.longest_accepted(),
            now=how.now,
        )
    ended_sids = _ended_now(list(owners), ended, how)
    events.ended(
        {sid: owners[sid] for sid in ended_sids},
        how.reason,
        note=how.note,
        by=how.by,
        client=how.client,
    )
    return ended


def end_matching(
    matching: SessionQuerySet, *, progress: Callable[[int], None] | None = None, **how: Any
) -> int:
    """
    End the sessions of a query, however many, and return how many had not ended before.

    They end in batches. Each batch is durable when ``progress`` is called with the number ended so
    far; inside a caller's transaction all of them are. ``how`` is as for ``end``.
    """
    # All ids at once, a hundred bytes each. To find the next batch only, a database may search and
    # sort all that remain, for every batch.
    pks = list(matching.order_by("pk").values_list("pk", flat=True))
    ended = 0
    for batch in _batches(pks):
        left = Session.objects.filter(pk__in=batch, ended_at=None)
        ended += end(left.only("pk", "user_id"), **how)
        if progress:
            progress(ended)
    return ended


def end_all(user: Any, *, reason: EndReason, keep: UUID | None = None, **how: Any) -> int:
    """End every session of ``user`` except ``keep``; return how many. ``how`` is as for ``end``."""
    of_user = Session.objects.filter(user=user, ended_at=None)
    if keep is not None:
        of_user = of_user.exclude(pk=keep)
    return end_matching(of_user, reason=reason, **how)


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

"""How sessions end, one or a million, with all their tokens: the rows, the denials, and who is told."""

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from .. import denylist
from ..client import Client
from ..conf import conf
from ..models import DeniedToken, EndReason, Session, SessionQuerySet
from . import events

BATCH_SIZE = 500  # sessions that one statement ends


def end(
    sessions: Iterable[Session],
    *,
    reason: EndReason,
    note: str = "",
    by: Any = None,
    client: Client | None = None,
    keep_owner: bool = True,
    now: datetime | None = None,
) -> int:
    """
    End these sessions with all their tokens, and return how many were live until now.

    ``note`` is what staff gave as the reason, ``by`` who of the staff did it. ``keep_owner`` False
    leaves the user out of the denylist, for one who is being deleted.
    """
    began, now = time.monotonic(), now or timezone.now()
    owners = {session.pk: session.user_id for session in sessions}
    if not owners:
        return 0
    ended = 0
    with transaction.atomic():
        for batch in _batches(list(owners)):
            ended += Session.objects.filter(pk__in=batch, ended_at=None).update(
                ended_at=now,
                end_reason=reason,
                ended_ip_address=client.ip_address if client else None,
            )
        denylist.deny(
            [(str(sid), owner if keep_owner else None) for sid, owner in owners.items()],
            kind=DeniedToken.Kind.SESSION,
            reason=note or reason.value,
            by=by,
            # Until the lock was had, another request may have issued a token.
            until=now + timedelta(seconds=time.monotonic() - began) + _longest_access(),
            now=now,
        )
    ended_sids = _ended_now(list(owners), ended, reason=reason, now=now)
    events.ended({sid: owners[sid] for sid in ended_sids}, reason, note=note, by=by, client=client)
    return ended


def end_matching(
    matching: SessionQuerySet, *, progress: Callable[[int], None] | None = None, **how: Any
) -> int:
    """
    End the sessions of a query, however many, and return how many were live until now.

    They end in batches, each durable when ``progress`` is told how many have ended so far; within
    a caller's transaction all of them stand or fall with it. ``how`` is as for ``end``.
    """
    # All ids at once, a hundred bytes each: asked for the next batch only, a database may search,
    # and sort, all that is left for every one of them.
    pks = list(matching.order_by("pk").values_list("pk", flat=True))
    ended = 0
    for batch in _batches(pks):
        left = Session.objects.filter(pk__in=batch, ended_at=None)
        ended += end(left.only("pk", "user_id"), **how)
        if progress:
            progress(ended)
    return ended


def end_all(user: Any, *, reason: EndReason, keep: UUID | None = None, **how: Any) -> int:
    """End every session of ``user`` but ``keep``; return how many. ``how`` is as for ``end``."""
    of_user = Session.objects.filter(user=user, ended_at=None)
    if keep is not None:
        of_user = of_user.exclude(pk=keep)
    return end_matching(of_user, reason=reason, **how)


def _longest_access() -> timedelta:
    """Return how long a token issued now may be let in, by whichever host's clock."""
    return conf.TOKENS_ACCESS_LIFETIME + 2 * conf.TOKENS_LEEWAY


def _ended_now(sids: list[UUID], count: int, *, reason: EndReason, now: datetime) -> Iterable[UUID]:
    """Return those of ``sids`` that ended now, of which there are ``count``, and not before."""
    if count in {0, len(sids)}:
        return sids[:count]
    ended = Session.objects.filter(ended_at=now, end_reason=reason)
    return [
        sid
        for batch in _batches(sids)
        for sid in ended.filter(pk__in=batch).values_list("pk", flat=True)
    ]


def _batches(ids: list[UUID]) -> Iterable[list[UUID]]:
    return (ids[i : i + BATCH_SIZE] for i in range(0, len(ids), BATCH_SIZE))

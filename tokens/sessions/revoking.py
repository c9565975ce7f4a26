"""
Revoke every session, or those of a user, by a cut-off: one row of the denylist.

It also refuses the sessions of sign-ins that are under way.
"""

from datetime import datetime
from typing import Any

from .. import clock, denylist
from ..conf import conf
from ..database import lasting, places
from ..errors import UserGone
from ..models import EndReason, Session, SessionQuerySet
from . import events
from .eligibility import lock
from .ending import end_with_user


def revoke_everything(*, note: str, by: Any = None, now: datetime | None = None) -> None:
    """
    Revoke every session of every user that has begun by now on any host, by one row.

    The rows of the sessions stay as they are; ``SessionState.CUT_OFF`` is their state.
    """
    lasting.require(Session)
    now = now or clock.now()

    def work() -> None:
        left = Session.objects.filter(ended_at=None)
        last = left.order_by("-expires_at").values_list("expires_at", flat=True).first() or now
        # A sign-in under way may commit later.
        last = max(last, now + conf.TOKENS_SESSION_LIFETIME)
        before = _after_begun(Session.objects.all(), now=now)
        until = denylist.last_accepted(last)
        denylist.cut_off(before, reason=note, until=until, by=by, now=now)
        events.everything_revoked(before, note=note, by=by)

    lasting.do(work, Session)


def revoke_user(user: Any, *, note: str, by: Any = None, now: datetime | None = None) -> int:
    """
    Revoke every session of ``user``, also of a sign-in under way, and return how many were left.

    It lasts if a transaction that the caller has open is rolled back.
    """
    lasting.require(Session)
    now = now or clock.now()

    def work() -> int:
        of_user = Session.objects.filter(user=user)
        with places.atomic(Session):
            try:
                owner = lock(user).pk
            except UserGone:
                return 0
            denylist.cut_off(
                _after_begun(of_user, now=now),
                user_id=owner,
                reason=note,
                # The rows end as well, except that of a sign-in which waits for this lock: on PostgreSQL,
                # its statement began before this commit, and sees no cut-off to begin after.
                until=denylist.last_accepted(now + conf.TOKENS_SESSION_LIFETIME),
                by=by,
                now=now,
            )
            # Those that some host accepts: its clock and its leeway may each be behind.
            live = of_user.live(now=now - 2 * conf.TOKENS_LEEWAY)
            return end_with_user(user, live, reason=EndReason.REVOKED, note=note, by=by, now=now)

    return lasting.do(work, Session)


def _after_begun(matching: SessionQuerySet, *, now: datetime) -> datetime:
    """Return an instant after the beginning of each of these sessions, by the clock of any host."""
    begun = matching.order_by("-started_at").values_list("started_at", flat=True).first() or now
    return max(begun + denylist.AFTER_CUT_OFF, now + conf.TOKENS_LEEWAY)

"""
Django's own sessions, such as those of the admin, among the sessions of a user.

Each has a row of the kind ``django``, so that the same lists show it and the same functions end it.
The middleware keeps the row's id in Django's session, and asks here whether it has ended.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from .. import clock, denylist, watching
from ..client import Client
from ..database import places
from ..models import EndReason, Session, SessionKind, not_cut_off
from .ending import end

# How long a row may be behind: a use within this time writes nothing.
TOUCH_EVERY = timedelta(minutes=5)


def begin(user: Any, *, client: Client, lifetime: timedelta, now: datetime | None = None) -> UUID:
    """Insert the row of a session of Django that ends after ``lifetime``, and return its id."""
    now = now or clock.now()
    later = denylist.find_cut_offs(str(user.pk), begun_at=now - denylist.AFTER_CUT_OFF)
    session = Session.objects.create(
        user=user,
        kind=SessionKind.DJANGO,
        auth_hash=user.get_session_auth_hash(),
        started_at=denylist.begin_after(now, later[-1].issued_before if later else None),
        refreshed_at=now,
        idle_until=now + lifetime,
        expires_at=now + lifetime,
        ip_address=client.ip_address,
        user_agent=client.user_agent,
        refreshed_ip_address=client.ip_address,
        refreshed_user_agent=client.user_agent,
    )
    places.on_commit(
        lambda: watching.tell("django_session_started", {"sid": session.pk}), Session, robust=True
    )
    return session.pk


def continues(
    sid: UUID, user: Any, *, client: Client, lifetime: timedelta, now: datetime | None = None
) -> bool:
    """
    Return whether this session of the user was neither ended nor cut off, by one query.

    The row gets the time, the client and the new end of the session, once in TOUCH_EVERY. A row
    that does not exist was deleted after its end.
    """
    now = now or clock.now()
    row = Session.objects.filter(pk=sid, user=user.pk, kind=SessionKind.DJANGO, ended_at=None)
    row = row.filter(not_cut_off())
    refreshed_at = row.values_list("refreshed_at", flat=True).first()
    if refreshed_at is None:
        return False
    if now - refreshed_at > TOUCH_EVERY:
        row.update(
            # Django has just verified its own hash, and keeps it current under a new SECRET_KEY.
            auth_hash=user.get_session_auth_hash(),
            refreshed_at=now,
            idle_until=now + lifetime,
            expires_at=now + lifetime,
            refreshed_ip_address=client.ip_address,
            refreshed_user_agent=client.user_agent,
        )
    return True


def ended_by_password_change(sid: UUID) -> bool:
    rows = Session.objects.filter(pk=sid, end_reason=EndReason.PASSWORD_CHANGED)
    return rows.exists()


def sign_out(sid: UUID, *, client: Client) -> None:
    """End the row of a session that Django has deleted."""
    end(Session.objects.filter(pk=sid, ended_at=None), reason=EndReason.LOGOUT, client=client)

"""A user's sessions as the page "My sessions" shows them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext as _
from rest_framework.request import Request

from ..client.devices import device_of
from ..conf import conf
from ..models import Session, SessionKind
from . import time_zones
from .django_sessions import held_by

CODE_LENGTH = 4  # characters of the id that tell two sessions of the same browser apart

# What the page says after a form of it was sent, by the word in ``done`` in its address.
DONE = {
    "ended": lambda: _("The session has ended."),
    "others": lambda: _("All your other devices are signed out."),
    "named": lambda: _("The name is saved."),
    "gone": lambda: _("This session had already ended."),
    "zone": lambda: _("The time zone is saved."),
}


@dataclass(frozen=True, slots=True)
class SessionCard:
    """One session in words. All times are aware; ``is_here``: this browser brought it."""

    id: UUID
    title: str
    name: str
    device: str
    address: str
    first_address: str
    kind: str
    is_here: bool
    started_at: datetime
    active_at: datetime
    ends_if_unused_at: datetime | None
    ends_at: datetime


def cards_of(sessions: Iterable[Session], *, request: Request) -> dict[str, Any]:
    """Return the context of the page: the sessions of this browser first, then the others."""
    here = {getattr(request.auth, "sid", None), held_by(request)}
    rows = list(sessions)
    titles = Counter(title_of(row) for row in rows)
    cards = [
        _card(row, is_here=row.pk in here, is_alone=titles[title_of(row)] == 1) for row in rows
    ]
    done = DONE.get(_read_done(request))
    return {
        "cards": sorted(cards, key=lambda card: not card.is_here),
        "done": done() if done else "",
        "time_zones": time_zones.names(),
        "active_within": max(1, ceil(conf.TOKENS_ACCESS_LIFETIME.total_seconds() / 60)),
    }


def sign_done(done: str, *, user: Any) -> str:
    """Return the ``done`` of an address, which is signed so that a stranger's link cannot show it."""
    return _signer(user).sign(done)


def _read_done(request: Request) -> str:
    try:
        return _signer(request.user).unsign(request.query_params.get("done", ""))
    except BadSignature:
        return ""


def _signer(user: Any) -> Signer:
    # A project may have None for a caller who has not signed in (UNAUTHENTICATED_USER).
    return Signer(salt=f"tokens.done.{getattr(user, 'pk', None)}")


def title_of(session: Session) -> str:
    return session.device_name or device_of(session.user_agent)


def _card(session: Session, *, is_here: bool, is_alone: bool) -> SessionCard:
    title = title_of(session)
    first = session.ip_address or ""
    address = session.refreshed_ip_address or first
    moves = session.kind == SessionKind.DJANGO or session.idle_until < session.expires_at
    return SessionCard(
        id=session.pk,
        title=title if is_alone else f"{title} · {str(session.pk)[:CODE_LENGTH]}",
        name=session.device_name,
        device=device_of(session.user_agent),
        address=address,
        first_address=first if first != address else "",
        kind=session.kind,
        is_here=is_here,
        started_at=session.started_at,
        active_at=session.refreshed_at,
        ends_if_unused_at=session.idle_until if moves else None,
        ends_at=session.expires_at,
    )

"""The columns of a session, for the list of sessions and for a user's page."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from .. import clock
from ..client import device_of
from ..models import Session, SessionKind, SessionState
from .base import format_instant


def with_state(rows: Any) -> Any:
    """Return ``rows`` with the annotation that ``Session.state_at`` uses instead of a query."""
    # The auth hash is deferred, because no page may show it.
    return rows.defer("auth_hash").with_revoked()


class SessionColumns:
    @admin.display(description=_("device"))
    def device(self, session: Session) -> str:
        device = device_of(session.user_agent)
        if session.kind == SessionKind.PAIR:
            return device
        return f"{device} ({session.get_kind_display()})"

    @admin.display(description=_("device, address"))
    def device_and_address(self, session: Session) -> str:
        return format_html("{}<br>{}", self.device(session), session.ip_address or "")

    @admin.display(description=_("IP address"))
    def address(self, session: Session) -> str:
        return session.ip_address or "-"

    @admin.display(description=_("signed in"))
    def signed_in(self, session: Session) -> str:
        return format_instant(session.started_at)

    @admin.display(description=_("last refreshed"))
    def refreshed(self, session: Session) -> str:
        was_used = session.generation or session.kind == SessionKind.DJANGO
        return format_instant(session.refreshed_at if was_used else None)

    @admin.display(description=_("expires"))
    def expires(self, session: Session) -> str:
        return format_instant(session.idle_until)

    @admin.display(description=_("absolute limit"))
    def absolute_limit(self, session: Session) -> str:
        return format_instant(session.expires_at)

    @admin.display(description=_("state"))
    def state(self, session: Session) -> str:
        state = session.state_at(clock.now())
        reason = f": {session.get_end_reason_display()}" if state is SessionState.ENDED else ""
        return format_html(
            '<span class="tokens-state tokens-{}">{}{}</span>', state, state.label, reason
        )

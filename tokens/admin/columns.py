"""
The columns of a session, for the list of sessions and for a user's page.

The words are those of the user's own page, "My sessions".
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from .. import clock
from ..client.devices import device_of
from ..models import Session, SessionKind, SessionState
from .base import format_instant

Row = TypeVar("Row")

# Ended for a reason that staff should look at.
ALARMING = ("reuse",)


def column(label: Any) -> Callable[[Callable[[Any, Row], str]], Callable[[Any, Row], str]]:
    """
    Let a method show one column, with its label in each cell.

    The style sheet shows the label where a row is a card, because the head of the table is hidden.
    """

    def decorate(show: Callable[[Any, Row], str]) -> Callable[[Any, Row], str]:
        def cell(self: Any, row: Row) -> str:
            shown = show(self, row)
            return format_html(
                '<span class="tokens-label">{}</span><span class="tokens-cell">{}</span>',
                capfirst(label),
                shown,
            )

        cell.__name__ = show.__name__
        return admin.display(description=label)(cell)

    return decorate


def lines(*parts: Any) -> str:
    """Return the parts that are not empty, each on its own line."""
    return format_html_join("", '<span class="tokens-line">{}</span>', ((p,) for p in parts if p))


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

    @column(_("device, address"))
    def device_and_address(self, session: Session) -> str:
        return lines(self.device(session), session.ip_address)

    @admin.display(description=_("network address"))
    def address(self, session: Session) -> str:
        return session.ip_address or "-"

    @column(_("signed in"))
    def signed_in(self, session: Session) -> str:
        return format_instant(session.started_at)

    @column(_("last active"))
    def last_active(self, session: Session) -> str:
        return format_instant(session.refreshed_at)

    @column(_("ends if unused"))
    def ends_if_unused(self, session: Session) -> str:
        return format_instant(session.idle_until)

    @column(_("ends at the latest"))
    def ends_at_the_latest(self, session: Session) -> str:
        # Using one of Django's own sessions moves this end too.
        return format_instant(None if session.kind == SessionKind.DJANGO else session.expires_at)

    @column(_("state"))
    def state(self, session: Session) -> str:
        return state_badge(session)


def state_badge(session: Session) -> str:
    state = session.state_at(clock.now())
    css = f"tokens-{state}"
    if state is SessionState.ENDED and session.end_reason in ALARMING:
        css += " tokens-alarming"
    badge = format_html('<span class="tokens-state {}">{}</span>', css, state.label)
    if state is not SessionState.ENDED:
        return badge
    return lines(badge, session.get_end_reason_display())

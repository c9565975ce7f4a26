"""The list of sessions, the page of one session, and the page that revokes sessions."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .. import clock, sessions
from ..client.devices import device_of
from ..database import places
from ..jose import Claims
from ..models import EndReason, Session, SessionState
from ..operations import wording
from ..operations.tally import WINDOW
from .base import (
    ReasonForm,
    admin_url,
    has_permission,
    log,
    require_permission,
    show_message,
    url_name,
    user_text,
)
from .charts import number
from .columns import SessionColumns, column, lines, state_badge, with_state
from .confirm import confirmation
from .devices import BrowserFilter, DeviceFilter, NetworkFilter
from .export import Columns
from .filters import EndReasonFilter, RefreshedFilter, StateFilter, UserFilter, order_of
from .history import history
from .networks import network_in
from .posted_search import PostedSearch
from .search import People, find_sessions

REVOKE_SELECTED = "revoke_selected"
EXPORTED: Columns = (
    ("user", lambda row: user_text(row.user)),
    ("state", lambda row: row.state_at(clock.now())),
    ("end_reason", lambda row: row.end_reason),
    ("ended_at", lambda row: row.ended_at),
    ("device", lambda row: device_of(row.user_agent)),
    ("ip_address", lambda row: row.ip_address),
    ("signed_in", lambda row: row.started_at),
    ("last_active", lambda row: row.refreshed_at),
    ("ends_if_unused", lambda row: row.idle_until),
    ("ends_at_the_latest", lambda row: row.expires_at),
    ("kind", lambda row: row.kind),
    ("sid", lambda row: row.pk),
    ("user_agent", lambda row: row.user_agent),
)


@admin.register(Session)
class SessionAdmin(SessionColumns, PostedSearch):
    list_display = (
        "user_text",
        "device_and_address",
        "signed_in",
        "last_active",
        "ends_if_unused",
        "state",
    )
    list_display_links = ("user_text", "device_and_address")
    change_list_template = "tokens/admin/change_list.html"
    change_form_template = "tokens/admin/session/change_form.html"
    list_filter = (
        UserFilter,
        StateFilter,
        EndReasonFilter,
        RefreshedFilter,
        DeviceFilter,
        BrowserFilter,
        NetworkFilter,
    )
    list_select_related = False  # get_queryset() prefetches the users.
    search_help_text = _(
        "A username or its beginning, or a whole email address, IP address or network, sid or jti. "
        "Or paste a token, which is neither stored nor shown."
    )
    actions = (REVOKE_SELECTED,)
    export_columns = EXPORTED
    readonly_fields = (
        "user_link",
        "device",
        "address",
        "network",
        "state",
        "signed_in",
        "last_active",
        "ends_if_unused",
        "ends_at_the_latest",
    )
    fieldsets = (
        (None, {"fields": ("user_link", "state", "device", "address", "network", "id")}),
        (
            _("Times"),
            {"fields": ("signed_in", "last_active", "ends_if_unused", "ends_at_the_latest")},
        ),
        (_("Refreshes"), {"fields": ("generation", "repeats", "repeats_elsewhere")}),
        (_("Details"), {"fields": ("user_agent", "kid"), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        # Prefetched: with a join, a planner may begin with the users and sort all sessions.
        return with_state(super().get_queryset(request)).prefetch_related("user")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return (order_of(request.GET),)

    def search(self, rows: QuerySet[Any], term: str) -> tuple[QuerySet[Any], People]:
        return find_sessions(rows, term)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        if not has_permission(request, "revoke_session"):
            return self.list_display
        return tuple("state_and_action" if name == "state" else name for name in self.list_display)

    def get_urls(self) -> list[URLPattern]:
        revoke = path(
            "<uuid:sid>/revoke/",
            self.admin_site.admin_view(self.revoke_view),
            name=url_name(self.model, "revoke"),
        )
        return [revoke, *super().get_urls()]

    # Columns

    @column(_("user"))
    def user_text(self, session: Session) -> str:
        return user_text(session.user)

    @admin.display(description=_("user"))
    def user_link(self, session: Session) -> str:
        user_model = type(session.user)
        if not self.admin_site.is_registered(user_model):
            return user_text(session.user)
        page = admin_url(self.admin_site, user_model, "change", session.user_id)
        return format_html('<a href="{}">{}</a>', page, user_text(session.user))

    @admin.display(description=_("network"))
    def network(self, session: Session) -> str:
        network = network_in(session.ip_address or "")
        if network is None:
            return "-"
        page = admin_url(self.admin_site, Session, "changelist")
        query = urlencode({NetworkFilter.parameter_name: str(network)})
        text = _("All sessions from %(network)s") % {"network": network}
        return format_html('<a href="{}?{}">{}</a>', page, query, text)

    @column(_("state"))
    def state_and_action(self, session: Session) -> str:
        badge = state_badge(session)
        if session.state_at(clock.now()) is not SessionState.LIVE:
            return badge
        label = _("Revoke the session of %(user)s: %(device)s, %(address)s") % {
            "user": user_text(session.user),
            "device": device_of(session.user_agent),
            "address": session.ip_address or _("unknown address"),
        }
        link = format_html(
            '<a class="tokens-danger" href="{}" aria-label="{}">{}</a>',
            self._page_url(session.pk, "revoke"),
            label,
            _("Revoke"),
        )
        return lines(badge, link)

    # Pages

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if REVOKE_SELECTED in request.POST.getlist("action"):
            require_permission(request, "revoke_session")
        context = {"window": number(WINDOW), **(extra_context or {})}
        answer = super().changelist_view(request, context)
        shown: Any = getattr(answer, "context_data", None) or {}
        if people := getattr(shown.get("cl"), "people", None):
            shown["people"] = people
            shown["found_users"] = [self._found(request, user) for user in people.users]
        return answer

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        session, now = context["original"], clock.now()
        live = session.state_at(now) is SessionState.LIVE
        context["history"] = history(session, now=now)
        context["may_revoke"] = live and has_permission(request, "revoke_session")
        return super().render_change_form(request, context, *args, **kwargs)

    def redirect_for_token(self, request: HttpRequest, claims: Claims) -> HttpResponse:
        if not Session.objects.filter(pk=claims.sid).exists():
            text = gettext("The token was issued here, but its session %(sid)s no longer exists.")
            show_message(request, text % {"sid": claims.sid}, level=messages.WARNING)
            return self.to_list()
        if claims.generation is None:
            text = gettext("This is the session of the access token %(jti)s.")
        else:
            text = gettext("This is the session of the refresh token %(jti)s.")
        show_message(request, text % {"jti": claims.jti}, level=messages.INFO)
        return HttpResponseRedirect(self._page_url(claims.sid))

    def revoke_view(self, request: HttpRequest, sid: UUID) -> HttpResponse:
        require_permission(request, "view_session", "revoke_session")
        session = get_object_or_404(self.get_queryset(request), pk=sid)
        return self._revoke(request, [session], back=self._page_url(sid))

    @admin.action(description=_("Revoke selected sessions"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, rows: QuerySet[Session]) -> HttpResponse:
        # Only the rows of this page, also for "select all". The command revokes all sessions.
        rows = rows.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME)[: self.list_per_page])
        hidden = [("action", REVOKE_SELECTED)]
        hidden += [(ACTION_CHECKBOX_NAME, str(session.pk)) for session in rows]
        return self._revoke(request, rows, back=request.get_full_path(), hidden=hidden)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return has_permission(request, "revoke_session")

    def _revoke(
        self,
        request: HttpRequest,
        rows: Iterable[Session],
        *,
        back: str,
        hidden: Iterable[tuple[str, str]] = (),
    ) -> HttpResponse:
        now = clock.now()
        live = [session for session in rows if session.state_at(now) is SessionState.LIVE]
        if not live:
            show_message(
                request,
                gettext("There is nothing to revoke: no selected session is live."),
                level=messages.WARNING,
            )
            return HttpResponseRedirect(back)
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            with places.atomic(Session):
                ended = sessions.end(
                    live, reason=EndReason.REVOKED, note=reason, by=request.user, now=now
                )
                log(request, live, CHANGE, f"Revoked. Reason: {reason}")
            text = ngettext(
                "%(number)s session revoked, access tokens included.",
                "%(number)s sessions revoked, access tokens included.",
                ended,
            )
            show_message(request, text % {"number": wording.amount(ended)})
            return HttpResponseRedirect(back)
        title = ngettext("Revoke %(number)s session", "Revoke %(number)s sessions", len(live))
        users = len({session.user_id for session in live})
        return confirmation(
            request,
            self,
            title=title % {"number": wording.amount(len(live))},
            sentences=[wording.cost_of_ending(wording.sessions_of_users(len(live), users))],
            items=[
                f"{user_text(row.user)}: {device_of(row.user_agent)}, {row.ip_address}"
                for row in live
            ],
            form=form,
            button=str(_("Revoke")),
            back=back,
            hidden=hidden,
        )

    def _found(self, request: HttpRequest, user: Any) -> dict[str, str]:
        """Return what the page says of a user whom the search term names."""
        sessions_of = admin_url(self.admin_site, Session, "changelist")
        found = {
            "name": user_text(user),
            "sessions": f"{sessions_of}?{urlencode({'user': user.pk})}",
        }
        if not self.admin_site.is_registered(type(user)):
            return found
        users = self.admin_site.get_model_admin(type(user))
        if users.has_view_permission(request, user):
            found["page"] = admin_url(self.admin_site, type(user), "change", user.pk)
            if has_permission(request, "revoke_session") and hasattr(users, "sign_out_view"):
                found["sign_out"] = admin_url(self.admin_site, type(user), "sign_out", user.pk)
        return found

    def _page_url(self, sid: UUID, name: str = "change") -> str:
        return admin_url(self.admin_site, Session, name, sid)

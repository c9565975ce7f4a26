"""The list of sessions, the page of one session, and the page that revokes sessions."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from .. import clock, sessions
from ..client import device_of
from ..jose import Claims
from ..models import EndReason, Session, SessionState
from ..operations.tally import WINDOW
from ..operations.wording import counted
from .base import (
    ReasonForm,
    admin_url,
    has_permission,
    log,
    require_permission,
    show_message,
    url_name,
)
from .columns import SessionColumns, with_state
from .confirm import confirmation
from .filters import EndReasonFilter, RefreshedFilter, StateFilter, UserFilter, order_of
from .history import history
from .posted_search import PostedSearch
from .search import find_sessions

REVOKE_SELECTED = "revoke_selected"


@admin.register(Session)
class SessionAdmin(SessionColumns, PostedSearch):
    list_display = (
        "user_text",
        "state",
        "device_and_address",
        "signed_in",
        "refreshed",
        "expires",
    )
    list_display_links = ("user_text", "device_and_address")
    change_list_template = "tokens/admin/change_list.html"
    change_form_template = "tokens/admin/session/change_form.html"
    list_filter = (UserFilter, StateFilter, EndReasonFilter, RefreshedFilter)
    list_select_related = False  # get_queryset() prefetches the users.
    search_help_text = _(
        "A whole username, email address, IP address, sid or jti. Or paste a token, which is "
        "neither stored nor shown."
    )
    actions = (REVOKE_SELECTED,)
    readonly_fields = (
        "user_link",
        "device",
        "address",
        "state",
        "signed_in",
        "refreshed",
        "expires",
        "absolute_limit",
    )
    fieldsets = (
        (None, {"fields": ("user_link", "state", "device", "address", "id")}),
        (_("Times"), {"fields": ("signed_in", "refreshed", "expires", "absolute_limit")}),
        (_("Refreshes"), {"fields": ("generation", "repeats", "repeats_elsewhere")}),
        (_("Details"), {"fields": ("user_agent", "kid"), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        # Prefetched: with a join, a planner may begin with the users and sort all sessions.
        return with_state(super().get_queryset(request)).prefetch_related("user")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return (order_of(request.GET),)

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
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

    @admin.display(description=_("user"))
    def user_text(self, session: Session) -> str:
        return str(session.user)

    @admin.display(description=_("user"))
    def user_link(self, session: Session) -> str:
        user_model = type(session.user)
        if not self.admin_site.is_registered(user_model):
            return str(session.user)
        page = admin_url(self.admin_site, user_model, "change", session.user_id)
        return format_html('<a href="{}">{}</a>', page, session.user)

    @admin.display(description=_("state"))
    def state_and_action(self, session: Session) -> str:
        if session.state_at(clock.now()) is not SessionState.LIVE:
            return self.state(session)
        page = self._page_url(session.pk, "revoke")
        label = _("Revoke the session of %s") % session.user
        return format_html(
            '{}<br><a href="{}" aria-label="{}">{}</a>',
            self.state(session),
            page,
            label,
            _("Revoke"),
        )

    # Pages

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if REVOKE_SELECTED in request.POST.getlist("action"):
            require_permission(request, "revoke_session")
        context = {"window": f"{WINDOW:,}", **(extra_context or {})}
        return super().changelist_view(request, context)

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
            text = f"The token was issued here, but its session {claims.sid} no longer exists."
            show_message(request, text, level=messages.WARNING)
            return self.to_list()
        kind = "access" if claims.generation is None else "refresh"
        show_message(
            request, f"This is the session of the {kind} token {claims.jti}.", level=messages.INFO
        )
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
                "There is nothing to revoke: no selected session is live.",
                level=messages.WARNING,
            )
            return HttpResponseRedirect(back)
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            with transaction.atomic():
                ended = sessions.end(
                    live, reason=EndReason.REVOKED, note=reason, by=request.user, now=now
                )
                log(request, live, CHANGE, f"Revoked. Reason: {reason}")
            show_message(request, f"{counted(ended, 'session')} revoked, access tokens included.")
            return HttpResponseRedirect(back)
        count = counted(len(live), "session")
        users = counted(len({session.user_id for session in live}), "user")
        return confirmation(
            request,
            self,
            title=f"Revoke {count}",
            sentences=[
                f"This revokes {count} of {users}. Every token is refused from the next request "
                "on. It cannot be undone."
            ],
            items=[f"{row.user}: {device_of(row.user_agent)}, {row.ip_address}" for row in live],
            form=form,
            button=str(_("Revoke")),
            back=back,
            hidden=hidden,
        )

    def _page_url(self, sid: UUID, name: str = "change") -> str:
        return admin_url(self.admin_site, Session, name, sid)

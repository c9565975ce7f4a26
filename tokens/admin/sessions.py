"""The list of sessions, one session and its history, and revoking."""

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
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from .. import sessions
from ..client import device_of
from ..jose import Claims
from ..models import EndReason, Session, SessionState
from ..operations.tally import WINDOW
from ..operations.wording import counted
from .base import ReasonForm, has_permission, log, require_permission, show_message
from .columns import SessionColumns, with_state
from .confirm import confirmation
from .filters import EndReasonFilter, RefreshedFilter, StateFilter, UserFilter, order_of
from .history import history
from .posted_search import PostedSearch
from .search import find_sessions

REVOKE_SELECTED = "revoke_selected"


@admin.register(Session)
class SessionAdmin(SessionColumns, PostedSearch):
    list_display = ("person", "state", "where", "signed_in", "refreshed", "expires")
    list_display_links = ("person", "where")
    list_filter = (UserFilter, StateFilter, EndReasonFilter, RefreshedFilter)
    list_select_related = False  # See get_queryset.
    search_help_text = _(
        "A whole username, e-mail address, IP address, sid or jti; or paste a token, which is "
        "neither kept nor shown."
    )
    actions = (REVOKE_SELECTED,)
    readonly_fields = (
        "person_link",
        "device",
        "address",
        "state",
        "signed_in",
        "refreshed",
        "expires",
        "limit",
    )
    fieldsets = (
        (None, {"fields": ("person_link", "state", "device", "address", "id")}),
        (_("Times"), {"fields": ("signed_in", "refreshed", "expires", "limit")}),
        (_("Details"), {"fields": ("user_agent", "generation", "kid"), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        # Not by a join: a planner may begin with the users then, and sort all sessions.
        return with_state(super().get_queryset(request)).prefetch_related("user")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return (order_of(request.GET),)

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        return find_sessions(rows, term)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        if not has_permission(request, "revoke_session"):
            return self.list_display
        return tuple("state_and_act" if name == "state" else name for name in self.list_display)

    def get_urls(self) -> list[URLPattern]:
        revoke = path(
            "<uuid:sid>/revoke/",
            self.admin_site.admin_view(self.revoke_view),
            name="tokens_session_revoke",
        )
        return [revoke, *super().get_urls()]

    # Columns

    @admin.display(description=_("person"))
    def person(self, session: Session) -> str:
        return str(session.user)

    @admin.display(description=_("person"))
    def person_link(self, session: Session) -> str:
        user_opts = session.user._meta
        if not self.admin_site.is_registered(type(session.user)):
            return str(session.user)
        page = reverse(
            f"admin:{user_opts.app_label}_{user_opts.model_name}_change",
            args=[session.user_id],
            current_app=self.admin_site.name,
        )
        return format_html('<a href="{}">{}</a>', page, session.user)

    @admin.display(description=_("state"))
    def state_and_act(self, session: Session) -> str:
        if session.state_at(timezone.now()) is not SessionState.LIVE:
            return self.state(session)
        page = self._page(session.pk, "revoke")
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
        session, now = context["original"], timezone.now()
        live = session.state_at(now) is SessionState.LIVE
        context["history"] = history(session, now=now)
        context["may_revoke"] = live and has_permission(request, "revoke_session")
        return super().render_change_form(request, context, *args, **kwargs)

    def found(self, request: HttpRequest, claims: Claims) -> HttpResponse:
        if not Session.objects.filter(pk=claims.sid).exists():
            gone = f"The token is ours, and its session {claims.sid} is not there any more."
            show_message(request, gone, level=messages.WARNING)
            return self.to_list()
        kind = "access" if claims.generation is None else "refresh"
        show_message(request, f"The session of the {kind} token {claims.jti}.", level=messages.INFO)
        return HttpResponseRedirect(self._page(claims.sid))

    def revoke_view(self, request: HttpRequest, sid: UUID) -> HttpResponse:
        require_permission(request, "view_session", "revoke_session")
        session = get_object_or_404(self.get_queryset(request), pk=sid)
        return self._revoke(request, [session], back=self._page(sid))

    @admin.action(description=_("Revoke selected sessions"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, rows: QuerySet[Session]) -> HttpResponse:
        # Bound to the page: «all» of ten million is what a command is for.
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
        now = timezone.now()
        live = [session for session in rows if session.state_at(now) is SessionState.LIVE]
        people = {session.user_id for session in live}
        if not live:
            show_message(
                request, "There is nothing to revoke: that is over.", level=messages.WARNING
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
        noun = "person" if len(people) == 1 else "people"
        return confirmation(
            request,
            self,
            title=f"Revoke {counted(len(live), 'session')}",
            sentences=[
                f"This ends {counted(len(live), 'session')} and signs out {len(people)} {noun}: "
                "every token of it is refused from the next request on. It cannot be undone."
            ],
            items=[f"{one.user}: {device_of(one.user_agent)}, {one.ip_address}" for one in live],
            form=form,
            button="Revoke",
            back=back,
            hidden=hidden,
        )

    def _page(self, sid: UUID, name: str = "change") -> str:
        site = self.admin_site.name
        return reverse(f"admin:tokens_session_{name}", args=[sid], current_app=site)

"""What is added to the project's user admin: a user's sessions, and "Sign out everywhere"."""

from collections.abc import Callable, Iterable
from datetime import datetime
from inspect import signature
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import unquote
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.forms import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import select_template
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .. import clock, sessions
from ..database import places
from ..models import DeniedToken, EndReason, Session, SigningKey
from ..operations.tally import tally
from ..operations.wording import amount, cost_of_ending
from .base import (
    ReasonForm,
    ValidatedActions,
    admin_url,
    has_permission,
    log,
    require_permission,
    show_message,
    url_name,
    user_text,
)
from .columns import SessionColumns, with_state
from .confirm import confirmation
from .deletion import CountedSessions

SIGN_OUT = "sign_out_everywhere"
NEWEST = 10  # sessions on a user's page


def extend(site: admin.AdminSite) -> None:
    """
    Register this app's models with ``site``, and add the sessions to its user admin.

    The user admin becomes a subclass of the one that was registered. A second call does nothing.
    """
    for model in (DeniedToken, Session, SigningKey):
        if not site.is_registered(model):
            site.register(model, type(admin.site.get_model_admin(model)))
    if site.index_template is None:
        site.index_template = "tokens/admin/index.html"
    user_model = get_user_model()
    if not site.is_registered(user_model):
        return
    base = type(site.get_model_admin(user_model))
    if not issubclass(base, UserSessions):
        site.unregister(user_model)
        # Before Django's own class, so that a method of the project's admin may call it.
        bases = (base, CountedSessions) if base is not admin.ModelAdmin else (CountedSessions,)
        site.register(user_model, type(base.__name__, (UserSessions, *bases), {}))


class NewestFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # not generic at run time
    """The newest NEWEST rows only: a user may have thousands of sessions."""

    def get_queryset(self) -> Any:
        if not hasattr(self, "_newest"):
            self._newest = super().get_queryset()[:NEWEST]
        return self._newest


class SessionInline(SessionColumns, admin.TabularInline):  # type: ignore[type-arg]  # not generic at run time
    model = Session
    formset = NewestFormSet
    verbose_name_plural = _("newest sessions")
    ordering = ("-started_at",)
    fields = ("device_and_address", "signed_in", "last_active", "state")
    readonly_fields = fields
    can_delete = False
    show_change_link = True
    extra = 0
    max_num = 0

    def get_queryset(self, request: HttpRequest) -> Any:
        return with_state(super().get_queryset(request))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UserSessions(ValidatedActions, admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A base class in front of the project's user admin. Each method adds to that class's result."""

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        inlines = super().get_inlines(request, obj)
        return [*inlines, SessionInline] if obj is not None else inlines

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> Any:
        """
        Add "Sign out everywhere" to the actions of the list.

        Django 6.1 and newer ask where the action is offered. The page of one user has a link instead.
        """
        actions = _actions_of(super().get_actions, request, action_location)
        is_list = getattr(action_location, "name", "CHANGE_LIST") == "CHANGE_LIST"
        if not is_list or IS_POPUP_VAR in request.GET:
            return actions
        # Also without the permission, so that a forged request gets a 403. Django would ignore an
        # unknown action.
        if has_permission(request, "revoke_session") or SIGN_OUT in request.POST.getlist("action"):
            description = str(_("Sign out everywhere"))
            actions[SIGN_OUT] = (UserSessions.sign_out_selected, SIGN_OUT, description)
        return actions

    def get_urls(self) -> Any:
        sign_out = path(
            "<path:object_id>/sign-out/",
            self.admin_site.admin_view(self.sign_out_view),
            name=url_name(self.model, "sign_out"),
        )
        return [sign_out, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> Any:
        answer = super().render_change_form(request, context, *args, **kwargs)
        user = context.get("original")
        if user is None or not isinstance(answer, TemplateResponse):
            return answer
        names: Any = answer.template_name
        context["wrapped_template"] = select_template([names] if isinstance(names, str) else names)
        if has_permission(request, "view_session"):
            context["sessions_url"] = admin_url(self.admin_site, Session, "changelist")
        context["may_sign_out"] = has_permission(request, "revoke_session")
        answer.template_name = "tokens/admin/user_change_form.html"
        return answer

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        before = clock.now()
        super().save_model(request, obj, form, change)
        if change:
            _report_ended_sessions(request, obj, since=before)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        before = clock.now()
        answer = super().user_change_password(request, id, form_url)  # type: ignore[misc]
        if request.method == "POST" and answer.status_code == 302:
            _report_ended_sessions(request, self.get_object(request, unquote(id)), since=before)
        return answer

    def sign_out_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for confirmation, and then end every session of one user."""
        require_permission(request, "revoke_session")
        user = self.get_object(request, unquote(object_id))
        if user is None:
            raise Http404
        if not self.has_view_permission(request, user):
            raise PermissionDenied
        back = admin_url(self.admin_site, self.model, "change", user.pk)
        return self._sign_out(request, [user], back=back)

    def sign_out_selected(self, request: HttpRequest, users: Any) -> HttpResponse:
        require_permission(request, "revoke_session")
        if request.POST.get("select_across") == "1":
            show_message(
                request,
                gettext(
                    "No user was signed out. Select users on this page. To sign out all users, run "
                    '"manage.py revoke_tokens --all".'
                ),
                level=messages.WARNING,
            )
            return HttpResponseRedirect(request.get_full_path())
        chosen = list(users.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME)))
        hidden = [("action", SIGN_OUT)]
        hidden += [(ACTION_CHECKBOX_NAME, str(user.pk)) for user in chosen]
        return self._sign_out(request, chosen, back=request.get_full_path(), hidden=hidden)

    def _sign_out(
        self,
        request: HttpRequest,
        users: list[Any],
        *,
        back: str,
        hidden: Iterable[tuple[str, str]] = (),
    ) -> HttpResponse:
        cost = tally(Session.objects.filter(user__in=users), now=clock.now())
        if not cost.sessions and cost.exact:
            text = gettext("No selected user is signed in.")
            show_message(request, text, level=messages.WARNING)
            return HttpResponseRedirect(back)
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            with places.atomic(Session):
                ended = sum(
                    sessions.end_all(user, reason=EndReason.REVOKED, note=reason, by=request.user)
                    for user in users
                )
                log(request, users, CHANGE, f"Signed out everywhere. Reason: {reason}")
            text = ngettext(
                "Signed out everywhere: %(number)s session revoked, access tokens included.",
                "Signed out everywhere: %(number)s sessions revoked, access tokens included.",
                ended,
            )
            show_message(request, text % {"number": amount(ended)})
            return HttpResponseRedirect(back)
        return confirmation(
            request,
            self,
            title=str(_("Sign out everywhere")),
            sentences=[cost_of_ending(cost)],
            items=[user_text(user) for user in users],
            form=form,
            button=str(_("Sign out everywhere")),
            back=back,
            hidden=hidden,
        )


def _actions_of(
    get_actions: Callable[..., dict[str, Any]], request: HttpRequest, action_location: Any
) -> dict[str, Any]:
    """
    Return the actions of the project's own user admin.

    If its method takes no ``action_location``, its actions belong to the list, as in Django.
    """
    if action_location is None:
        return get_actions(request)
    if "action_location" in signature(get_actions).parameters:
        return get_actions(request, action_location=action_location)
    return get_actions(request) if action_location.name == "CHANGE_LIST" else {}


def _report_ended_sessions(request: HttpRequest, user: Any, *, since: datetime) -> None:
    """Show how many live sessions ended because of the change that was just saved."""
    reasons = (EndReason.PASSWORD_CHANGED, EndReason.USER_INACTIVE)
    ended = Session.objects.filter(
        user=user, ended_at__gte=since, end_reason__in=reasons, idle_until__gt=since
    ).count()
    if ended:
        text = ngettext(
            "This change ended %(number)s session of %(user)s.",
            "This change ended %(number)s sessions of %(user)s.",
            ended,
        )
        values = {"number": amount(ended), "user": user_text(user)}
        show_message(request, text % values, level=messages.WARNING)

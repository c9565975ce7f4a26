"""The list of signing keys, and the pages that rotate and revoke keys. No secret is shown."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.db import transaction
from django.db.models import Case, IntegerField, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from .. import clock, keyring
from ..errors import KeyRingError, with_hint
from ..keyring import RotationConflict
from ..models import Session, SigningKey
from ..operations.tally import WINDOW, live_by_key, tally
from ..operations.wording import cost_of_revoking
from .base import (
    ReadOnlyAdmin,
    ReasonForm,
    admin_url,
    format_instant,
    has_permission,
    log,
    require_permission,
    show_message,
    url_name,
)
from .confirm import confirmation

State = SigningKey.State


class AlgorithmForm(forms.Form):
    """The algorithm; ``signing`` is the kid that signed when the page was shown."""

    signing = forms.CharField(widget=forms.HiddenInput)
    algorithm = forms.ChoiceField(
        label=_("Algorithm"),
        choices=[(name, name) for name in keyring.ALGORITHMS],
        help_text=_(
            "If the key published ahead has another algorithm, a new key signs at once. Services "
            "that cache the key set do not know that key yet."
        ),
    )


class RevokeKeysForm(ReasonForm, AlgorithmForm):
    field_order = ("signing", "algorithm", "reason")


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    list_display = ("kid", "state", "live_sessions", "since", "verifying", "algorithm", "age")
    actions = None
    change_list_template = "tokens/admin/signingkey/change_list.html"
    fields = list_display
    readonly_fields = ("since", "age", "verifying", "live_sessions")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("sealed")

    def get_ordering(self, request: HttpRequest) -> Any:
        by_state = [When(state=state, then=Value(at)) for at, state in enumerate(State.values)]
        return (Case(*by_state, output_field=IntegerField()).asc(), "-created_at")

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        # One count for the page instead of one per row.
        column = _live_sessions_column()
        return tuple(column if name == "live_sessions" else name for name in self.list_display)

    def get_urls(self) -> list[URLPattern]:
        # keyring.rotate() has its own transaction, and must not run inside that of ATOMIC_REQUESTS.
        own = [
            path(
                address,
                transaction.non_atomic_requests(self.admin_site.admin_view(view)),
                name=url_name(self.model, name),
            )
            for address, view, name in (
                ("rotate/", self.rotate_view, "rotate"),
                ("revoke-previous/", self.revoke_view, "revoke"),
            )
        ]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "may_rotate": has_permission(request, "rotate_signingkey"),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    # Columns

    @admin.display(description=_("since"))
    def since(self, key: SigningKey) -> str:
        return format_instant(key.state_since)

    @admin.display(description=_("age"))
    def age(self, key: SigningKey) -> str:
        return timesince(key.created_at, depth=1)

    @admin.display(description=_("verifies until"))
    def verifying(self, key: SigningKey) -> str:
        return format_instant(key.verifies_until)

    @admin.display(description=_("live sessions"))
    def live_sessions(self, key: SigningKey) -> str:
        return str(_live_sessions_column()(key))

    # Actions

    def rotate_view(self, request: HttpRequest) -> HttpResponse:
        return self._rotate(request, AlgorithmForm, revoke_previous=False)

    def revoke_view(self, request: HttpRequest) -> HttpResponse:
        return self._rotate(request, RevokeKeysForm, revoke_previous=True)

    def _rotate(
        self, request: HttpRequest, form_class: type[AlgorithmForm], *, revoke_previous: bool
    ) -> HttpResponse:
        require_permission(request, "view_signingkey", "rotate_signingkey")
        try:
            # A process with another TOKENS_SECRET could not open the new key.
            keyring.check()
            plan = keyring.plan_rotation(revoke_previous=revoke_previous)
            initial = {"signing": plan.former, "algorithm": plan.algorithm}
            form = form_class(request.POST if request.method == "POST" else None, initial=initial)
            if form.is_valid():
                return self._carry_out(request, form.cleaned_data, revoke_previous=revoke_previous)
        except (KeyRingError, RotationConflict) as error:
            show_message(request, with_hint(error), level=messages.ERROR)
            return HttpResponseRedirect(self._list_url())
        confirm = self._confirm_revocation if revoke_previous else self._confirm_rotation
        return confirm(request, plan, form)

    def _confirm_rotation(
        self, request: HttpRequest, plan: keyring.Plan, form: AlgorithmForm
    ) -> HttpResponse:
        return confirmation(
            request,
            self,
            title=str(_("Rotate the signing key")),
            sentences=[
                "The key that was published ahead signs from now on, a new key is published "
                "ahead, and the former key verifies until its last token has expired, about "
                f"{plan.verifies_until:%Y-%m-%d %H:%M} UTC. No user is signed out, and no process "
                "needs a restart."
            ],
            form=form,
            button=str(_("Rotate")),
            back=self._list_url(),
        )

    def _confirm_revocation(
        self, request: HttpRequest, plan: keyring.Plan, form: AlgorithmForm
    ) -> HttpResponse:
        # Every key that verifies is revoked, so every live session ends.
        cost = tally(Session.objects.all().with_tokens(), now=clock.now())
        return confirmation(
            request,
            self,
            title=str(_("Revoke all previous keys")),
            sentences=[
                "Do this after a leak. Two new keys are created, and every other key is revoked, "
                "which signs out all users at once.",
                cost_of_revoking(
                    plan.revoked, sessions=cost.sessions, users=cost.users, exact=cost.exact
                ),
            ],
            form=form,
            button=str(_("Revoke")),
            back=self._list_url(),
        )

    def _carry_out(
        self, request: HttpRequest, given: dict[str, Any], *, revoke_previous: bool
    ) -> HttpResponse:
        rotate = partial(keyring.rotate, by=request.user)
        # A new plan, because the form may have another algorithm than the plan on the page.
        plan = keyring.plan_rotation(algorithm=given["algorithm"], revoke_previous=revoke_previous)
        if plan.former != given["signing"]:
            raise RotationConflict("Another rotation was first. Nothing was changed by this one.")
        if revoke_previous:
            rotate = partial(rotate, reason=given["reason"])
        rotate(plan)
        signing = SigningKey.objects.defer("sealed").get(state=State.SIGNING)
        if revoke_previous:
            revoked = SigningKey.objects.defer("sealed").filter(kid__in=plan.revoked)
            log(request, revoked, CHANGE, f"Revoked. Reason: {given['reason']}")
            show_message(
                request, f"Revoked: {', '.join(plan.revoked)}. All users must sign in again."
            )
        log(request, [signing], CHANGE, f"Rotated. Signs from now on instead of {plan.former}.")
        show_message(
            request, f"Rotated. {signing.kid} signs from now on, in every process within a second."
        )
        return HttpResponseRedirect(self._list_url())

    def _list_url(self) -> str:
        return admin_url(self.admin_site, self.model, "changelist")


def _live_sessions_column() -> Any:
    """Return the column with the number of live sessions whose refresh token a key signed."""
    now = clock.now()
    counts, exact = live_by_key(now=now)

    @admin.display(description=_("live sessions"))
    def live_sessions(key: SigningKey) -> str:
        if key.state == State.REVOKED or (key.verifies_until and key.verifies_until <= now):
            return "0"
        number = f"{counts.get(key.kid, 0):,}"
        return number if exact else f"{number} of the newest {WINDOW:,}"

    return live_sessions

"""The list of signing keys, and the pages that rotate and revoke keys. No secret is shown."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.db.models import Case, IntegerField, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import clock, keyring
from ..database.places import non_atomic_requests
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
from .charts import number
from .columns import column, lines
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
    list_display = ("key", "state_text", "live_sessions", "since", "verifying")
    actions = None
    export_columns = (
        ("kid", lambda key: key.kid),
        ("state", lambda key: key.state),
        ("algorithm", lambda key: key.algorithm),
        ("created_at", lambda key: key.created_at),
        ("signs_since", lambda key: key.signs_since),
        ("retired_at", lambda key: key.retired_at),
        ("verifies_until", lambda key: key.verifies_until),
    )
    export_order = "pk"
    change_list_template = "tokens/admin/signingkey/change_list.html"
    fields = ("kid", "state_text", "live_sessions", "since", "verifying", "algorithm", "age")
    readonly_fields = ("state_text", "since", "age", "verifying", "live_sessions")

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
                non_atomic_requests(self.admin_site.admin_view(view)),
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

    @column(_("key"))
    def key(self, key: SigningKey) -> str:
        age = _("%(algorithm)s, %(age)s old") % {
            "algorithm": key.algorithm,
            "age": timesince(key.created_at, depth=1),
        }
        return lines(format_html('<span class="tokens-id">{}</span>', key.kid), age)

    @column(_("state"))
    def state_text(self, key: SigningKey) -> str:
        text = key.get_state_display()
        return format_html('<span class="tokens-state tokens-key-{}">{}</span>', key.state, text)

    @column(_("since"))
    def since(self, key: SigningKey) -> str:
        return format_instant(key.state_since)

    @admin.display(description=_("age"))
    def age(self, key: SigningKey) -> str:
        return timesince(key.created_at, depth=1)

    @column(_("verifies until"))
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
                gettext(
                    "The key that was published ahead signs from now on, a new key is published "
                    "ahead, and the former key verifies until its last token has expired, about "
                    "%(time)s UTC. No user is signed out, and no process needs a restart."
                )
                % {"time": f"{plan.verifies_until:%Y-%m-%d %H:%M}"}
            ],
            form=form,
            button=str(_("Rotate")),
            is_destructive=False,
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
                gettext(
                    "Do this after a leak. Two new keys are created, and every other key is revoked, "
                    "which signs out all users at once."
                ),
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
            raise RotationConflict(
                gettext("Another rotation was first. Nothing was changed by this one.")
            )
        if revoke_previous:
            rotate = partial(rotate, reason=given["reason"])
        rotate(plan)
        signing = SigningKey.objects.defer("sealed").get(state=State.SIGNING)
        if revoke_previous:
            revoked = SigningKey.objects.defer("sealed").filter(kid__in=plan.revoked)
            log(request, revoked, CHANGE, f"Revoked. Reason: {given['reason']}")
            text = gettext("Revoked: %(keys)s. All users must sign in again.")
            show_message(request, text % {"keys": ", ".join(plan.revoked)})
        log(request, [signing], CHANGE, f"Rotated. Signs from now on instead of {plan.former}.")
        text = gettext("Rotated. %(key)s signs from now on, in every process within a second.")
        show_message(request, text % {"key": signing.kid})
        return HttpResponseRedirect(self._list_url())

    def _list_url(self) -> str:
        return admin_url(self.admin_site, self.model, "changelist")


def _live_sessions_column() -> Any:
    """Return the column with the number of live sessions whose refresh token a key signed."""
    now = clock.now()
    counts, exact = live_by_key(now=now)

    @column(_("live sessions"))
    def cell(model_admin: None, key: SigningKey) -> str:
        if key.state == State.REVOKED or (key.verifies_until and key.verifies_until <= now):
            return "0"
        shown = number(counts.get(key.kid, 0))
        if exact:
            return shown
        words = _("%(number)s of the newest %(bound)s")
        return str(words % {"number": shown, "bound": number(WINDOW)})

    @admin.display(description=_("live sessions"))
    def live_sessions(key: SigningKey) -> str:
        return cell(None, key)

    return live_sessions

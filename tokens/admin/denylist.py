"""The denylist: a list, and a page that denies a token. Denials are never changed or removed."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..database import places
from ..errors import KeyRingError, TokenError, with_hint
from ..jose import MAX_TOKEN_LENGTH, Claims, TokenType, parse_jti
from ..models import DeniedToken, EndReason, Session
from ..operations import revocation
from ..secret import hide, hides_post
from .base import (
    ReasonForm,
    admin_url,
    format_instant,
    has_permission,
    log,
    require_permission,
    show_message,
    url_name,
    user_text,
)
from .columns import column, lines
from .confirm import confirmation
from .posted_search import PostedSearch
from .search import find_people, find_token


class KindFilter(admin.SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return DeniedToken.Kind.choices

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any] | None:
        if self.value() is None:
            return None
        return rows.filter(kind=self.value()) if self.value() in DeniedToken.Kind else rows.none()


class _TokenField(forms.CharField):
    """A token, which is a Secret in the form that was posted and in the cleaned data."""

    def clean(self, value: Any) -> Any:
        token = super().clean(hide(value).reveal())
        return hide(token) if token else token


class DenyForm(ReasonForm):
    """A token or a ``jti``, and the reason. The token is never shown again."""

    token = _TokenField(
        label=_("Token"),
        required=False,
        max_length=MAX_TOKEN_LENGTH,
        help_text=_("A whole access or refresh token. It is neither stored nor shown again."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "size": 60}),
    )
    jti = forms.CharField(
        label=_("or its jti"),
        required=False,
        max_length=DeniedToken._meta.get_field("value").max_length,
        help_text=_("The id of a token, as in its claims and in logs."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 60}),
    )
    field_order = ("token", "jti", "reason")

    def clean_jti(self) -> str:
        jti = str(self.cleaned_data["jti"])
        if jti and parse_jti(jti) is None:
            raise ValidationError(
                _('A jti consists of 32 hexadecimal digits, a dot, a number, and "a" or "r".')
            )
        return jti

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and bool(cleaned.get("token")) == bool(cleaned.get("jti")):
            raise ValidationError(_("Enter either a token or a jti."))
        return cleaned


@admin.register(DeniedToken)
class DeniedTokenAdmin(PostedSearch):
    list_display = ("denied", "owner", "reason_text", "since", "matters_until")
    list_select_related = False  # get_queryset() prefetches the users.
    list_filter = (KindFilter,)
    ordering = ("-id",)
    search_help_text = _(
        "A whole id, jti, username or email address, or the beginning of a username. Or paste a "
        "token, which is neither stored nor shown."
    )
    actions = None
    fields = ("value", "kind", "user", "reason_text", "since", "matters_until")
    readonly_fields = ("reason_text", "since", "matters_until")
    export_columns = (
        ("value", lambda row: row.value),
        ("kind", lambda row: row.kind),
        ("user", lambda row: row.user and user_text(row.user)),
        ("reason", lambda row: row.reason),
        ("denied_by", lambda row: row.denied_by and user_text(row.denied_by)),
        ("denied_at", lambda row: row.denied_at),
        ("until", lambda row: row.until),
    )
    change_list_template = "tokens/admin/deniedtoken/change_list.html"

    @column(_("denied"))
    def denied(self, row: DeniedToken) -> str:
        kind = format_html("<strong>{}</strong>", capfirst(row.get_kind_display()))
        return lines(kind, format_html('<span class="tokens-id">{}</span>', row.value))

    @column(_("user"))
    def owner(self, row: DeniedToken) -> str:
        return user_text(row.user) if row.user else "-"

    @column(_("reason"))
    def reason_text(self, row: DeniedToken) -> str:
        by = _("by %(staff)s") % {"staff": user_text(row.denied_by)} if row.denied_by else ""
        return lines(dict(EndReason.choices).get(row.reason, row.reason), by)

    @column(_("since"))
    def since(self, row: DeniedToken) -> str:
        return format_instant(row.denied_at)

    @column(_("until"))
    def matters_until(self, row: DeniedToken) -> str:
        return format_instant(row.until)

    def get_queryset(self, request: HttpRequest) -> Any:
        # Prefetched: joins would also be done for the rows of all previous pages.
        return super().get_queryset(request).prefetch_related("user", "denied_by")

    def get_urls(self) -> list[URLPattern]:
        # Around admin_view, whose queries can fail too.
        add = hides_post("token")(self.admin_site.admin_view(self.add_view))
        return [path("add/", add, name=url_name(self.model, "add")), *super().get_urls()]

    def redirect_for_token(self, request: HttpRequest, claims: Claims) -> HttpResponse:
        return self.to_list(q=claims.jti)

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """
        Return the denials of an id, or of a user by name, or else of users by a part of it.

        A jti also matches the denial of its session.
        """
        term = term.strip()
        if not term:
            return rows
        if find_token(term) or "\0" in term:
            return rows.none()
        values = [term]
        if parsed := parse_jti(term):
            values.append(str(parsed[0]))
        keys = [user.pk for user in find_people(term).users]
        return rows.filter(Q(value__in=values) | Q(user_id__in=keys))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return has_permission(request, "deny_token")

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Deny a token or a jti."""
        require_permission(request, "deny_token")
        form = DenyForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            self._check_jti_of_refresh_token(request, form)
        if form.is_valid():
            try:
                return self._deny(request, form)
            except TokenError as error:
                text = gettext("Nothing was changed: this token is refused already. %(reason)s")
                form.add_error(None, text % {"reason": error})
            except KeyRingError as error:
                text = gettext("Nothing was changed. %(reason)s")
                form.add_error(None, text % {"reason": with_hint(error)})
        return confirmation(
            request,
            self,
            title=str(_("Deny a token")),
            sentences=[
                gettext(
                    "An access token is refused from the next request on, and its session continues. "
                    "A refresh token also ends its session (RFC 7009). Neither can be undone."
                )
            ],
            form=form,
            button=str(_("Deny")),
            back=self.to_list()["Location"],
        )

    def _check_jti_of_refresh_token(self, request: HttpRequest, form: DenyForm) -> None:
        # The refresh token itself is enough to end its session. Its id is not: ids are in logs.
        parsed = parse_jti(form.cleaned_data["jti"])
        if (
            parsed
            and parsed[2] is TokenType.REFRESH
            and not has_permission(request, "revoke_session")
        ):
            form.add_error(
                "jti",
                _(
                    "This is the jti of a refresh token. You have no permission to revoke its session."
                ),
            )

    def _deny(self, request: HttpRequest, form: DenyForm) -> HttpResponse:
        given, how = form.cleaned_data, {"note": form.cleaned_data["reason"], "by": request.user}
        with places.atomic(DeniedToken):
            if given["token"]:
                raw_token = find_token(given["token"]) or given["token"]
                denial = revocation.deny_token(raw_token, **how)
            else:
                denial = revocation.deny_jti(given["jti"], **how)
            self._log(request, denial, given["reason"])
        if denial.session_ended:
            show_message(
                request,
                gettext(
                    "Denied. It was a refresh token, so its session is revoked with all access tokens."
                ),
            )
        else:
            show_message(
                request,
                gettext("Denied. The access token is refused from now on. Its session continues."),
            )
        if has_permission(request, "view_session"):
            page = admin_url(self.admin_site, Session, "change", denial.session.pk)
            return HttpResponseRedirect(page)
        return self.to_list()

    def _log(self, request: HttpRequest, denial: revocation.Denial, reason: str) -> None:
        row = DeniedToken.objects.get(value=denial.value)
        log(request, [row], ADDITION, f"Denied. Reason: {reason}")
        if denial.session_ended:
            log(request, [denial.session], CHANGE, f"Revoked. Reason: {reason}")

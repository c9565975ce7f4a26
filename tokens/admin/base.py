"""What the admin's pages share: read-only lists without COUNT(*), permissions, the log, forms."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from .. import signals
from ..models import MAX_REASON_LENGTH, Session
from .export import Columns, csv_answer
from .search import People, find_token

MAX_PAGES = 200  # An OFFSET reads all the rows that it skips.


class UncountedList(ChangeList):
    """
    A list that runs no COUNT(*), and has no other order than the model admin's.

    Each page reads one row more than it shows, to know whether another page follows.
    ``next_page`` and ``previous_page`` are the addresses of those pages, or empty;
    ``without_search`` is the address of the list without the search term.
    """

    model_admin: "ReadOnlyAdmin"
    people: People | None = None  # whom the search term names

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # Before the filters: a filter that checks only the newest rows checks the newest found.
        found = self.model_admin.search(self.root_queryset, self.query)
        self.root_queryset, self.people = found if isinstance(found, tuple) else (found, None)
        return super().get_queryset(request, *args, **kwargs)

    def get_ordering(self, request: HttpRequest, queryset: Any) -> Any:
        self.params.pop(ORDER_VAR, None)  # An order without an index reads the whole table.
        return super().get_ordering(request, queryset)

    def get_results(self, request: HttpRequest) -> None:
        if not 1 <= self.page_num <= MAX_PAGES:
            raise IncorrectLookupParameters
        size = self.list_per_page
        first = (self.page_num - 1) * size
        rows = list(self.queryset[first : first + size + 1])
        more = len(rows) > size and self.page_num < MAX_PAGES
        self.result_list = rows[:size]
        # Django must count this page only, so that "select all" selects what is visible.
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = bool(rows)
        self.can_show_all = False
        self.multi_page = more or self.page_num > 1
        self.next_page = self._page(self.page_num + 1) if more else ""
        self.without_search = self.get_query_string(remove=[SEARCH_VAR])
        self.export = f"export/{self.get_query_string()}" if self.model_admin.export_columns else ""
        self.previous_page = self._page(self.page_num - 1) if self.page_num > 1 else ""

    def _page(self, number: int) -> str:
        return str(self.get_query_string({PAGE_VAR: number}))


class ValidatedActions:
    """A mixin for model admins: a selected key that is not valid becomes a 400 instead of a 500."""

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], **location: Any
    ) -> Any:
        # Django 6.1 and newer pass an action_location too.
        try:
            return super().response_action(request, queryset, **location)  # type: ignore[misc]
        except ValidationError:
            raise BadRequest("One of the selected keys is not a key.") from None


class ReadOnlyAdmin(ValidatedActions, admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A model admin whose rows are changed only by functions of this app, never by a form."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # A facet counts over the whole table.
    sortable_by = ()
    export_columns: Columns = ()
    export_order: str | None = None  # a column that an index serves, if the list's order is none

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        # Sessions are deleted with their user. That alone must not show the list in the index.
        return {**super().get_model_perms(request), "delete": False}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return UncountedList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if refusal := self._refuse_token(request):
            return refusal
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        export = path(
            "export/",
            self.admin_site.admin_view(self.export_view),
            name=url_name(self.model, "export"),
        )
        return [export, *super().get_urls()] if self.export_columns else super().get_urls()

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Return all pages of the list in the address as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if refusal := self._refuse_token(request):
            return refusal
        try:
            listed = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return self._to_own_list()
        rows = listed.queryset
        if self.export_order:
            rows = rows.order_by(self.export_order)
        name = str(self.opts.model_name)
        # Not the filters: they may hold a name.
        signals.log("list_exported", list=name, by=cast(Any, request.user).pk)
        return csv_answer(request, rows, self.export_columns, name=name)

    def _refuse_token(self, request: HttpRequest) -> HttpResponse | None:
        if not find_token(request.META.get("QUERY_STRING", "")):
            return None
        show_message(
            request,
            _(
                "The address contained a token, and logs may now contain it too. Revoke its session. "
                "Paste tokens into the search field, which keeps them out of addresses."
            ),
            level=messages.WARNING,
        )
        return self._to_own_list()

    def _to_own_list(self) -> HttpResponse:
        return HttpResponseRedirect(admin_url(self.admin_site, self.model, "changelist"))

    def get_object(self, request: HttpRequest, object_id: str, *args: Any) -> Any:
        # PostgreSQL raises an error for a NUL in a text, which the admin does not catch.
        return None if "\0" in object_id else super().get_object(request, object_id, *args)

    def search(
        self, rows: QuerySet[Any], term: str
    ) -> QuerySet[Any] | tuple[QuerySet[Any], People]:
        """Return the rows that match ``term``, or all for an empty term, and whom it names."""
        return rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # Any other lookup in an address could filter by a column without an index.
        return lookup in self.filter_names()

    def filter_names(self) -> set[str]:
        """Return the query parameters of the filters."""
        return {str(getattr(one, "parameter_name", "")) for one in self.list_filter}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """
        Permit deletion only together with a user, which the user's own admin has permitted.

        Before the admin deletes a user, it calls this method for the user's sessions.
        """
        match = request.resolver_match
        own_pages = url_name(self.model, "")
        return match is not None and not str(match.url_name).startswith(own_pages)


def has_permission(request: HttpRequest, permission: str) -> bool:
    """Return whether the signed-in staff user has this permission of the app."""
    user: Any = request.user
    return bool(user.is_active and user.has_perm(f"{Session._meta.app_label}.{permission}"))


def require_permission(request: HttpRequest, *permissions: str) -> None:
    """Raise PermissionDenied, which becomes a 403, unless the user has all of them."""
    for permission in permissions:
        if not has_permission(request, permission):
            raise PermissionDenied


def user_text(user: Any) -> str:
    """Return the user's own text, or the name if that is a number, as AbstractBaseUser's is then."""
    try:
        return str(user)
    except TypeError:
        return str(user.get_username())


def url_name(model: type[Model], page: str) -> str:
    """Return the name of one of the model's admin pages, without the namespace."""
    return f"{model._meta.app_label}_{model._meta.model_name}_{page}"


def admin_url(site: admin.AdminSite, model: type[Model], page: str, *args: Any) -> str:
    """Return the address of one of the model's pages in the admin ``site``."""
    return reverse(f"admin:{url_name(model, page)}", args=args, current_app=site.name)


def log(request: HttpRequest, rows: Iterable[Model], flag: int, message: str) -> None:
    """Add an entry to the admin's log for each of these rows."""
    LogEntry.objects.log_actions(
        user_id=cast(Any, request.user).pk,
        queryset=cast(Any, list(rows)),
        action_flag=flag,
        change_message=message,
    )


def format_instant(at: datetime | None) -> str:
    """Return date and time in short form, with seconds and time zone as the tooltip."""
    if at is None:
        return "-"
    local = timezone.localtime(at)
    return format_html(
        '<time class="tokens-instant" datetime="{}" title="{}"><span>{}</span> <span>{}</span></time>',
        at.isoformat(timespec="seconds"),
        f"{local:%Y-%m-%d %H:%M:%S %Z}",
        f"{local:%Y-%m-%d}",
        f"{local:%H:%M}",
    )


def show_message(request: HttpRequest, message: Any, *, level: int = messages.SUCCESS) -> None:
    messages.add_message(request, level, message, fail_silently=True)


class ReasonForm(forms.Form):
    """
    A form with a reason, which is stored in the denylist and the admin's log.

    A token in any field is removed before the form stores or shows it, except in a field that is
    called ``token``.
    """

    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON_LENGTH,
        help_text=_("Stored with this action and shown to staff."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 60}),
    )

    def __init__(self, data: QueryDict | None = None, **kwargs: Any) -> None:
        self._contained_token = []
        if data is not None:
            data = data.copy()
            for name in self.base_fields:
                if name != "token" and find_token(data.get(name, "")):
                    data[name] = ""
                    self._contained_token.append(name)
        super().__init__(data, **kwargs)

    def clean(self) -> dict[str, Any]:
        for name in self._contained_token:
            self.add_error(
                name, _("This contained a token, which must not be stored. It was removed.")
            )
        return super().clean() or {}

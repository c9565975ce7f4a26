"""Rows to read, lists that count nothing, who may do what, and what is logged."""

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
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ..models import MAX_REASON_LENGTH
from .search import find_token

MAX_PAGES = 200  # An OFFSET reads what it skips.


class UncountedList(ChangeList):
    """
    A page of rows and whether another follows: no ``count(*)``, no order but the model admin's.

    ``next_page`` and ``previous_page`` are the addresses of its neighbours, empty where none is,
    ``search_off`` that of the list without the search.
    """

    model_admin: "ReadOnlyAdmin"

    def get_queryset(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # Before the filters: those that look at the newest rows only look at the newest found.
        self.root_queryset = self.model_admin.search(self.root_queryset, self.query)
        return super().get_queryset(request, *args, **kwargs)

    def get_ordering(self, request: HttpRequest, queryset: Any) -> Any:
        self.params.pop(ORDER_VAR, None)  # Another order than an index has reads the whole table.
        return super().get_ordering(request, queryset)

    def get_results(self, request: HttpRequest) -> None:
        if not 1 <= self.page_num <= MAX_PAGES:
            raise IncorrectLookupParameters
        size = self.list_per_page
        first = (self.page_num - 1) * size
        rows = list(self.queryset[first : first + size + 1])
        more = len(rows) > size and self.page_num < MAX_PAGES
        self.result_list = rows[:size]
        # Counts as if this page were all, so that «select all» means what can be seen.
        self.result_count = len(self.result_list)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = bool(rows)
        self.can_show_all = False
        self.multi_page = more or self.page_num > 1
        self.next_page = self._page(self.page_num + 1) if more else ""
        self.search_off = self.get_query_string(remove=[SEARCH_VAR])
        self.previous_page = self._page(self.page_num - 1) if self.page_num > 1 else ""

    def _page(self, number: int) -> str:
        return str(self.get_query_string({PAGE_VAR: number}))


class ValidatedActions:
    """Before a model admin: what is no key among the selected ones is the caller's mistake."""

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        try:
            return super().response_action(request, queryset)  # type: ignore[misc]
        except ValidationError:
            raise BadRequest("One of the selected keys is not a key.") from None


class ReadOnlyAdmin(ValidatedActions, admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Rows of this app change through its verbs only."""

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # A facet is a count over the whole table.
    sortable_by = ()

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        # Deleting is part of deleting a user, and by itself shows nobody a list.
        return {**super().get_model_perms(request), "delete": False}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return UncountedList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if find_token(request.META.get("QUERY_STRING", "")):
            show_message(
                request,
                "The address held a token, so logs may hold it now: revoke its session. Tokens "
                "belong into the search field, which keeps them out of addresses.",
                level=messages.WARNING,
            )
            return HttpResponseRedirect(request.path)
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_object(self, request: HttpRequest, object_id: str, *args: Any) -> Any:
        # A NUL in a text column is an error to PostgreSQL, which the admin does not catch.
        return None if "\0" in object_id else super().get_object(request, object_id, *args)

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Return those of ``rows`` that ``term`` names; every row for an empty one."""
        return rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # A column in the address is a filter that no index may serve.
        return lookup in self.filter_names()

    def filter_names(self) -> set[str]:
        """Return what the filters are called in an address."""
        return {str(getattr(one, "parameter_name", "")) for one in self.list_filter}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """
        Permit it only as part of deleting a user, which the user's own admin has decided on.

        The admin asks here too before it deletes a user with sessions.
        """
        match = request.resolver_match
        own_pages = f"{self.opts.app_label}_{self.opts.model_name}_"
        return match is not None and not str(match.url_name).startswith(own_pages)


def has_permission(request: HttpRequest, permission: str) -> bool:
    """Tell whether this member of the staff has ``tokens.<permission>``."""
    user: Any = request.user
    return bool(user.is_active and user.has_perm(f"tokens.{permission}"))


def require_permission(request: HttpRequest, *permissions: str) -> None:
    """Raise PermissionDenied, which answers 403, for who lacks one of them."""
    for permission in permissions:
        if not has_permission(request, permission):
            raise PermissionDenied


def log(request: HttpRequest, rows: Iterable[Model], flag: int, message: str) -> None:
    """Write down who did what to these rows."""
    LogEntry.objects.log_actions(
        user_id=cast(Any, request.user).pk,
        queryset=cast(Any, list(rows)),
        action_flag=flag,
        change_message=message,
    )


def format_instant(at: datetime | None) -> str:
    """Return an instant as short as a column is, with its zone for who points at it."""
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


def show_message(request: HttpRequest, message: str, *, level: int = messages.SUCCESS) -> None:
    messages.add_message(request, level, message, fail_silently=True)


class ReasonForm(forms.Form):
    """
    Why: for the denylist, the log, and whoever asks next year.

    A token that was pasted into a field that is kept or shown again is gone before anything else
    happens to it; a field called ``token`` is made for one.
    """

    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON_LENGTH,
        help_text=_("Is kept with the act and shown to staff."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 60}),
    )

    def __init__(self, data: QueryDict | None = None, **kwargs: Any) -> None:
        self._held_a_token = []
        if data is not None:
            data = data.copy()
            for name in self.base_fields:
                if name != "token" and find_token(data.get(name, "")):
                    data[name] = ""
                    self._held_a_token.append(name)
        super().__init__(data, **kwargs)

    def clean(self) -> dict[str, Any]:
        for name in self._held_a_token:
            self.add_error(name, _("This held a token, which would have been kept."))
        return super().clean() or {}

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from .models import User

# The number of users that the list shows, and that a search for a part of a name scans. With this
# bound the list takes the same time with a thousand users and with ten million.
WINDOW = 10_000


class FirstPages(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Paginate the first WINDOW rows. The other rows are neither counted nor shown."""

    @cached_property
    def count(self) -> int:
        # In an order without an index, the database would read all rows to sort them.
        rows: Any = self.object_list
        return int(rows.order_by()[:WINDOW].count())


class ListByName(ChangeList):
    def get_ordering(self, request: HttpRequest, queryset: Any) -> Any:
        self.params.pop(ORDER_VAR, None)  # There is no index for another order.
        return super().get_ordering(request, queryset)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]  # not generic at run time
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # A facet counts over the whole table.
    paginator = FirstPages
    sortable_by = ()
    window = f"{WINDOW:,}"  # The list's template shows it.
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "email", "usable_password", "password1", "password2"),
            },
        ),
    )
    fieldsets = (
        (None, {"fields": ("username", "email", "password")}),
        (_("Personal info"), {"fields": ("first_name", "last_name")}),
        (
            _("Permissions"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (_("Important dates"), {"fields": ("last_login", "date_joined")}),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ListByName

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        # "Select all" displays the bounded number, and must select no more users than that.
        return super().response_action(request, _first(queryset))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """
        Return the users with exactly this username or email address.

        If there are none, return those of the first WINDOW users whose names contain the term.
        """
        term = search_term.strip()
        if not term:
            return queryset, False
        found = list(queryset.filter(username=term).values_list("pk", flat=True)[:1])
        # The same condition as the unique constraint's, whose index omits empty addresses.
        by_email = queryset.alias(lowered=Lower("email")).filter(lowered=term.lower())
        found += by_email.exclude(email="").values_list("pk", flat=True)[:1]
        if found:
            return queryset.filter(pk__in=found), False
        return super().get_search_results(request, _first(queryset), term)


def _first(users: QuerySet[Any]) -> QuerySet[Any]:
    """Return the first WINDOW of these users by username."""
    names = users.order_by("username").values_list("username", flat=True)
    for last in names[WINDOW - 1 : WINDOW]:
        return users.filter(username__lte=last)
    return users

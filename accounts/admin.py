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

# How many people the list reaches, and looks at for a part of a name: it takes the same time with
# a thousand of them and with ten million.
WINDOW = 10_000


class FirstPages(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """Pages of the first WINDOW rows. The others are neither counted nor shown."""

    @cached_property
    def count(self) -> int:
        # Sorted, they would all be read, and thrown away, where no index has their order.
        rows: Any = self.object_list
        return int(rows.order_by()[:WINDOW].count())


class ListByName(ChangeList):
    def get_ordering(self, request: HttpRequest, queryset: Any) -> Any:
        self.params.pop(ORDER_VAR, None)  # No index has another order.
        return super().get_ordering(request, queryset)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]  # not generic at run time
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # A facet is a count over the whole table.
    paginator = FirstPages
    sortable_by = ()
    reach = f"{WINDOW:,}"  # for the template of the list
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
        # «Select all» names a number: it is no more people than that.
        return super().response_action(request, _first(queryset))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find who is called exactly so; if nobody is, whose names contain it among the first."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = list(queryset.filter(username=term).values_list("pk", flat=True)[:1])
        # As the unique constraint has it, whose index leaves out the empty ones.
        by_email = queryset.alias(lowered=Lower("email")).filter(lowered=term.lower())
        found += by_email.exclude(email="").values_list("pk", flat=True)[:1]
        if found:
            return queryset.filter(pk__in=found), False
        return super().get_search_results(request, _first(queryset), term)


def _first(people: QuerySet[Any]) -> QuerySet[Any]:
    """Return the first WINDOW of these people by username."""
    names = people.order_by("username").values_list("username", flat=True)
    for last in names[WINDOW - 1 : WINDOW]:
        return people.filter(username__lte=last)
    return people

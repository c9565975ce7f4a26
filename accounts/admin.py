from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Permission
from django.core.paginator import Paginator
from django.db import connections
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from .models import User

# The number of users that the list shows, and that a search for a part of a name scans. With this
# bound the list takes the same time with a thousand users and with ten million.
WINDOW = 10_000

# The users that a search finds beyond the WINDOW because their names begin with the term, and those
# that it then adds because their names contain it.
MOST_BEGINNING, MOST_CONTAINING = 100, 400

# The fields with which a user is given rights. Only superusers change them.
PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")


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
    """
    The admin of users. Staff can give no user, themselves included, rights that they do not have.

    A superuser changes every user. Other staff change, delete and set the password only of users
    who are no superusers and hold no permission that the staff member lacks.
    """

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

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if _is_superuser(request) else (*fields, *PRIVILEGES)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # The form that sets a password calls this method too.
        permitted = super().has_change_permission(request, obj)
        return permitted and (obj is None or _may_manage(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        permitted = super().has_delete_permission(request, obj)
        return permitted and (obj is None or _may_manage(request, obj))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        # Otherwise each selected user would cost queries of their own.
        _look_up_manageable(request, [user.pk for user in objs])
        return super().get_deleted_objects(objs, request)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ListByName

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], **location: Any
    ) -> Any:
        # "Select all" displays the bounded number, and must select no more users than that.
        # Django 6.1 and newer pass an action_location too.
        return super().response_action(request, _first(queryset), **location)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """
        Return the users with exactly this username or email address.

        If there are none, return those whose usernames begin with the term, at most MOST_BEGINNING of
        them, and those of the first WINDOW users whose names contain it.
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
        beginning = list(
            _beginning_with(queryset, term).values_list("pk", flat=True)[:MOST_BEGINNING]
        )
        contain, _duplicates = super().get_search_results(request, _first(queryset), term)
        if not beginning:
            return contain, False
        # Keys, because with conditions joined by OR no index has the rows in order.
        keys = contain.order_by("username").values_list("pk", flat=True)[:MOST_CONTAINING]
        return queryset.filter(pk__in=[*beginning, *keys]), False


def _beginning_with(users: QuerySet[Any], term: str) -> QuerySet[Any]:
    """Return the users whose usernames begin with the term, as typed or in lower case."""
    found = Q()
    for spelling in {term, term.lower()}:
        if connections[users.db].vendor == "postgresql":
            found |= Q(username__startswith=spelling)  # Django creates an index for it.
        else:  # There it is a LIKE, for which SQLite uses no index.
            found |= Q(username__gte=spelling, username__lt=spelling + "\U0010ffff")
    return users.filter(found).order_by()


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


def _may_manage(request: HttpRequest, user: Any) -> bool:
    """Return whether the signed-in staff member may manage ``user``."""
    if _is_superuser(request):
        return True
    known = _manageable(request)
    if user.pk not in known:
        _look_up_manageable(request, [user.pk])
    return known[user.pk]


def _look_up_manageable(request: HttpRequest, keys: Iterable[Any]) -> None:
    """Note for the rest of the request which of these users the staff member may manage."""
    if _is_superuser(request):
        return
    mine = request.user.get_all_permissions()
    permissions = Permission.objects.values_list("pk", "content_type__app_label", "codename")
    lacking = [pk for pk, app, codename in permissions if f"{app}.{codename}" not in mine]
    # Not get_all_permissions() of the user: it is empty while the user is inactive, and staff could
    # set a new password and then reactivate the user.
    above = User._base_manager.filter(
        Q(is_superuser=True) | Q(user_permissions__in=lacking) | Q(groups__permissions__in=lacking)
    )
    keys = list(keys)
    found = set(above.filter(pk__in=keys).values_list("pk", flat=True))
    _manageable(request).update({key: key not in found for key in keys})


def _manageable(request: HttpRequest) -> dict[Any, bool]:
    """Return what is known in this request: the key of a user, and whether they may be managed."""
    known: dict[Any, bool] = request.__dict__.setdefault("_accounts_manageable", {})
    return known


def _first(users: QuerySet[Any]) -> QuerySet[Any]:
    """Return the first WINDOW of these users by username."""
    names = users.order_by("username").values_list("username", flat=True)
    for last in names[WINDOW - 1 : WINDOW]:
        return users.filter(username__lte=last)
    return users

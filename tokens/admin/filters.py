"""The filters of the list of sessions, each with the order of the index that serves it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .. import clock
from ..models import EndReason, SessionState
from ..operations.tally import first_window
from .base import user_text
from .search import newest, user_key

_NOT_ENDED = set(SessionState) - {SessionState.ENDED}

_REFRESHED = {
    "hour": (_("in the last hour"), timedelta(hours=1)),
    "day": (_("in the last 24 hours"), timedelta(days=1)),
    "week": (_("in the last 7 days"), timedelta(days=7)),
    "earlier": (_("longer ago"), timedelta(days=7)),
}


def order_of(chosen: Mapping[str, str]) -> str:
    """Return the order in which an index has the rows of the chosen filters."""
    state = chosen.get("state")
    if state == "expired":
        return "started_at"  # Of the sessions that did not end, the oldest have expired.
    if state not in _NOT_ENDED and (state == "ended" or chosen.get("reason")):
        return "-ended_at"
    return "-started_at"


class BoundedFilter(SimpleListFilter):
    """A filter of the first WINDOW rows. ``is_complete`` is False if there are more rows."""

    is_complete = True

    def first_window(self, request: HttpRequest, rows: QuerySet[Any]) -> Any:
        found, self.is_complete = first_window(rows, order_of(request.GET))
        return found


class EndReasonFilter(SimpleListFilter):
    title = _("end reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [choice for choice in EndReason.choices if choice[0] != EndReason.USER_DELETED]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any] | None:
        if self.value() is None:
            return None
        if self.value() not in EndReason.values or request.GET.get("state") in _NOT_ENDED:
            return rows.none()
        # The partial index is used only if the query has its condition too.
        return rows.filter(ended_at__isnull=False, end_reason=self.value())


class StateFilter(BoundedFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return SessionState.choices

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any] | None:
        state = self.value()
        if state is None:
            return None
        if state not in SessionState:
            return rows.none()
        sessions: Any = self.first_window(request, rows) if state in _NOT_ENDED else rows
        found: QuerySet[Any] = sessions.in_state(SessionState(state), now=clock.now())
        return found


class RefreshedFilter(BoundedFilter):
    title = _("last active")
    parameter_name = "refreshed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [(value, label) for value, (label, _ago) in _REFRESHED.items()]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any] | None:
        if self.value() not in _REFRESHED:
            return None
        since = clock.now() - _REFRESHED[str(self.value())][1]
        found = self.first_window(request, rows)
        if self.value() == "earlier":
            return found.filter(refreshed_at__lt=since)  # type: ignore[no-any-return]
        return found.filter(refreshed_at__gte=since)  # type: ignore[no-any-return]


class UserFilter(SimpleListFilter):
    """The sessions of the user in the address. Without one, the filter is not shown."""

    title = _("user")
    parameter_name = "user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        key = self.value()
        if key is None:
            return []
        user = get_user_model()._default_manager.filter(pk=user_key(key)).first()
        return [(key, user_text(user) if user else _("unknown user"))]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any] | None:
        key = self.value()
        return None if key is None else newest(rows.filter(user_id=user_key(key)))

"""
Counts for pages and commands, over a limited number of rows.

A condition that no index serves is applied to the first WINDOW rows of an index only, and the page
says so. It then takes the same time with a thousand sessions as with ten million.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count

from ..models import Session, SessionQuerySet
from .wording import sessions_of_users

WINDOW = 5_000


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of sessions and of their users. Both are minimums if ``exact`` is False."""

    sessions: int
    users: int
    exact: bool = True

    def __str__(self) -> str:
        return sessions_of_users(self.sessions, self.users, exact=self.exact)


def first_window(rows: Any, order: str) -> tuple[Any, bool]:
    """
    Return the first WINDOW of ``rows`` in the order of one column, and whether these are all.

    An index should serve ``rows`` in this order. Other conditions are then applied to the result,
    which is a range of that index, up to the column's value in the last of the WINDOW rows. Further
    rows with that same value are in the result too.
    """
    column = order.removeprefix("-")
    last = list(rows.order_by(order).values_list(column, flat=True)[WINDOW - 1 : WINDOW])
    if not last:
        return rows, True
    beyond = "gte" if order.startswith("-") else "lte"
    return rows.filter(**{f"{column}__{beyond}": last[0]}), False


def tally(rows: SessionQuerySet, *, now: datetime) -> Tally:
    """Count the live sessions, and their users, among the newest WINDOW of ``rows``."""
    newest, exact = first_window(rows, "-started_at")
    found = newest.live(now=now).aggregate(sessions=Count("*"), users=Count("user", distinct=True))
    return Tally(found["sessions"], found["users"], exact)


def live_by_key(*, now: datetime) -> tuple[dict[str, int], bool]:
    """
    Return the number of live sessions by the ``kid`` that signed their refresh token.

    The second value is False if only the newest WINDOW sessions were counted.
    """
    newest, exact = first_window(Session.objects.all(), "-started_at")
    by_key = newest.live(now=now).order_by().values_list("kid").annotate(n=Count("*"))
    return dict(by_key), exact

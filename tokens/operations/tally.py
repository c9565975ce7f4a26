"""
How many rows a page, or a list that a command prints, looks at, at most.

What no index can serve is looked for among the first WINDOW rows that an index brings, and the
page says so: it takes the same time with a thousand sessions and with ten million.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count

from ..models import Session, SessionQuerySet
from .wording import amount, counted

WINDOW = 10_000


@dataclass(frozen=True, slots=True)
class Tally:
    """How many sessions of how many people; at least so many where ``exact`` is False."""

    sessions: int
    people: int
    exact: bool = True

    def __str__(self) -> str:
        people = "person" if self.people == 1 else "people"
        return (
            f"{counted(self.sessions, 'session', exact=self.exact)} of "
            f"{amount(self.people, exact=self.exact)} {people}"
        )

    @property
    def amount(self) -> str:
        return amount(self.sessions, exact=self.exact)


def first_window(rows: Any, order: str) -> tuple[Any, bool]:
    """
    Return the first WINDOW of ``rows`` in the order of one column, and whether these are all.

    An index should have ``rows`` in this order: what it cannot tell is asked of the result.
    The column's value in the last of them is the bound: a range of an index, whatever else is
    asked of the rows then. Rows of the very same instant may come on top.
    """
    column = order.removeprefix("-")
    last = list(rows.order_by(order).values_list(column, flat=True)[WINDOW - 1 : WINDOW])
    if not last:
        return rows, True
    beyond = "gte" if order.startswith("-") else "lte"
    return rows.filter(**{f"{column}__{beyond}": last[0]}), False


def tally(rows: SessionQuerySet, *, now: datetime) -> Tally:
    """Count what is live among the newest WINDOW of ``rows``."""
    newest, exact = first_window(rows, "-started_at")
    found = newest.live(now=now).aggregate(sessions=Count("*"), people=Count("user", distinct=True))
    return Tally(found["sessions"], found["people"], exact)


def live_by_key(*, now: datetime) -> tuple[dict[str, int], bool]:
    """
    Return how many live sessions hold a refresh token under each ``kid``, and whether these are
    all: otherwise they are those among the newest WINDOW.
    """
    newest, exact = first_window(Session.objects.all(), "-started_at")
    by_key = newest.live(now=now).order_by().values_list("kid").annotate(n=Count("*"))
    return dict(by_key), exact

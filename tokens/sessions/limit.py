"""How many sessions a user may have at once: TOKENS_SESSIONS_PER_USER."""

from datetime import datetime
from functools import cache

from django.db.models import Exists, OuterRef, Value

from ..conf import conf
from ..models import EndReason, Session, SessionKind, SessionQuerySet
from .ending import end

# How many sign-ins of one user may be under way at once. So close to the limit, a user's sessions are
# counted.
SLACK = 16
# The sessions that one sign-in ends at most, for a user who has many from before the limit.
AT_ONCE = 50


def may_be_reached() -> Exists | Value:
    """
    Return whether the user may have as many sessions as are allowed, as a condition on users.

    It is read with the user, so that most sign-ins need no further query.
    """
    most = conf.TOKENS_SESSIONS_PER_USER - SLACK
    return _has_more_than(most) if most > 0 else Value(True)


@cache  # Django copies an expression where it uses it, and to build one takes as long as a query.
def _has_more_than(most: int) -> Exists:
    return Exists(_open().filter(user=OuterRef("pk")).order_by()[most : most + 1])


def end_excess(started: Session, *, now: datetime) -> None:
    """End the sessions of the user that were idle longest, so that ``started`` is within the limit."""
    limit = conf.TOKENS_SESSIONS_PER_USER
    others = _open().filter(user=started.user_id, idle_until__gt=now).exclude(pk=started.pk)
    newest_first = others.order_by("-refreshed_at", "-pk").only("pk", "user", "kind")
    excess = newest_first[limit - 1 : limit - 1 + AT_ONCE]
    # Part of the sign-in, which may yet be rolled back.
    end(list(excess), reason=EndReason.OVER_LIMIT, lasts=False, now=now)


def _open() -> SessionQuerySet:
    # An access token that was issued alone, or a session of Django, displaces no session.
    return Session.objects.filter(kind=SessionKind.PAIR, ended_at=None)

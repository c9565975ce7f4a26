"""
Cut-offs: one row refuses every session of all users, or of one, that began before an instant.

To revoke everything therefore costs the same for ten sessions and for ten million. A session that
begins afterwards is not refused, in the same second either: its row has the instant in microseconds.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from ..database import many_rows, places
from ..database.many_rows import AnyOf
from ..jose import Claims
from ..models import EVERYONE, MAX_VALUE_LENGTH, DeniedToken
from ..models.denylist import new_nonce
from .entries import announce

# How long after a cut-off a session begins at the earliest, although the clock says before.
AFTER_CUT_OFF = timedelta(microseconds=1)

Denials = tuple[tuple[str, datetime | None], ...]  # each value, and before which instant it refuses

# Before the claim sub, or before the digest of one that is too long. No other value begins so.
_OF_USER = EVERYONE + ":"
_OF_HASHED = EVERYONE + "#"


def cut_off_values(sub: str) -> tuple[str, str]:
    """Return the ``value`` of each cut-off that can concern the tokens of this ``sub``."""
    return EVERYONE, _value(sub)


def cut_off(
    before: datetime,
    *,
    user_id: Any = None,
    reason: str,
    until: datetime,
    by: Any = None,
    now: datetime,
) -> None:
    """
    Refuse every session that began before ``before``: of this user, or of all users for None.

    The row says who did it and why the last time. If it has a later instant already, by a clock
    that was ahead, then it refuses what began right after that instant too.
    """
    value = EVERYONE if user_id is None else _value(str(user_id))
    columns = {
        "issued_before": before,
        "until": until,
        "reason": reason,
        "denied_by": by,
        "denied_at": now,
    }
    with places.atomic(DeniedToken):
        DeniedToken.objects.bulk_create(
            [DeniedToken(value=value, kind=DeniedToken.Kind.CUT_OFF, user_id=user_id, **columns)],
            ignore_conflicts=True,
        )
        # A row that existed. No row is read first, so the database decides between two calls.
        rows, nonce = DeniedToken.objects.filter(value=value), new_nonce()
        if not rows.filter(issued_before__lt=before).update(**columns, nonce=nonce):
            columns["issued_before"] = F("issued_before") + 2 * AFTER_CUT_OFF
            rows.filter(issued_before__gt=before).update(**columns, nonce=nonce)
        announce([(value, before)], DeniedToken.Kind.CUT_OFF)


def is_cut_off(sub: str) -> Q:
    """Return whether a cut-off refuses the session of the outer query, as a condition on denials."""
    refuses = Q()
    for value in cut_off_values(sub):
        refuses |= Q(value=value, issued_before__gt=OuterRef("started_at"))
    return refuses


def find_denials(many: Iterable[Claims], *, alias: str) -> Callable[[Claims], Denials]:
    """
    Return a function that returns the denials and cut-offs that name one of these tokens, by one
    statement for all. ``refuse`` says whether they refuse it.
    """
    values = {EVERYONE}
    for claims in many:
        values.update(claims.ids)
        values.add(_value(claims.sub))
    found = dict(
        many_rows.fetch(
            partial(_denials, alias), list(values), alias=alias, name="the query for many denials"
        )
    )

    def denials_of(claims: Claims) -> Denials:
        names = (*claims.ids, *cut_off_values(claims.sub))
        return tuple((value, found[value]) for value in names if value in found)

    return denials_of if found else lambda claims: ()


def _denials(alias: str, values: Sequence[str]) -> QuerySet[Any, Any]:
    rows = DeniedToken.objects.using(alias).filter(AnyOf(F("value"), values, type="text"))
    return rows.values_list("value", "issued_before")


def refuse(denials: Denials, claims: Claims, *, begun_at: datetime) -> bool:
    """Say of what ``find_denials`` found what ``denied`` with ``is_cut_off`` says in a query."""
    ids = claims.ids
    return any(
        value in ids or (before is not None and before > begun_at) for value, before in denials
    )


def find_cut_offs(sub: str, *, begun_at: datetime) -> list[DeniedToken]:
    """Return the cut-offs that refuse a session of this user, with the staff who made them."""
    rows = DeniedToken.objects.filter(value__in=cut_off_values(sub), issued_before__gt=begun_at)
    return list(rows.select_related("denied_by").order_by("issued_before"))


def begin_after(now: datetime, latest: datetime | None) -> datetime:
    """Return when a session begins that must not be refused by the latest cut-off."""
    # By the clock of the host that made it, it may be later than now.
    return now if latest is None else max(now, latest + AFTER_CUT_OFF)


@cache  # Django copies an expression where it uses it, and to build one takes as long as a query.
def latest_cut_off() -> Subquery:
    """Return the instant of the latest cut-off that concerns a user, as an expression on users."""
    of_user = Q(kind=DeniedToken.Kind.CUT_OFF, user=OuterRef("pk"))
    rows = DeniedToken.objects.filter(Q(value=EVERYONE) | of_user).order_by("-issued_before")
    return Subquery(rows.values("issued_before")[:1])


def _value(sub: str) -> str:
    if len(value := _OF_USER + sub) <= MAX_VALUE_LENGTH:
        return value
    return (_OF_HASHED + sha256(sub.encode()).hexdigest())[:MAX_VALUE_LENGTH]

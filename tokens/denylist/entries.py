"""Add to the denylist, ask it, and say which of its rows can be deleted."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, Q, QuerySet

from .. import clock, signals, watching
from ..database import places
from ..jose import Claims
from ..models import MAX_VALUE_LENGTH, DeniedToken
from . import notifications

# The pruning host's clock may be ahead of a host that still verifies the token. Clocks differ by
# five seconds at most; an hour has no cost and tolerates a clock that was set wrong.
PRUNE_SAFETY_MARGIN = timedelta(hours=1)

# What a version needs: microseconds since 1970 for the next centuries, and the character before it.
MAX_KEY_LENGTH = MAX_VALUE_LENGTH - 18
_BEFORE_VERSION = "<"  # in no jti, sid or kid

# The value of a row, and the instant of a cut-off: see ``cut_offs``.
Entry = tuple[str, datetime | None]
_followers: list[Callable[[Sequence[Entry]], None]] = []
_wanted: list[Callable[[], bool]] = []


def add_follower(follower: Callable[[Sequence[Entry]], None]) -> None:
    """Call ``follower`` with the denials of this process, each time that some were committed."""
    _followers.append(follower)


def notify_others_when(is_wanted: Callable[[], bool]) -> None:
    """Notify the other processes of each denial that is committed while ``is_wanted`` returns True."""
    _wanted.append(is_wanted)


def announce(entries: Sequence[Entry], kind: DeniedToken.Kind) -> None:
    """When the current transaction commits, call the followers, within the place of the denials."""

    def tell() -> None:
        for follower in _followers:
            follower(entries)
        if any(is_wanted() for is_wanted in _wanted):
            notifications.notify(places.place_of(DeniedToken))
        watching.tell("denied", {"kind": kind.value, "count": len(entries)})

    places.on_commit(tell, DeniedToken)


def key_of(value: str) -> str:
    """Return the id that a row is about: its value, without the version that ``ask_about`` adds."""
    return value.partition(_BEFORE_VERSION)[0]


def key_and_version(value: str) -> tuple[str, int]:
    """Return what ``ask_about`` was given for a row with this value."""
    key, _, version = value.rpartition(_BEFORE_VERSION)
    return key, int(version)


def denied(ids: Iterable[str], *, or_else: Q | None = None) -> Exists:
    """
    Return whether any of ``ids`` is denied, as an expression for the one query of a request.

    ``or_else`` is another condition on the rows, such as ``cut_offs.is_cut_off``.
    """
    # Joined by OR: for an IN, SQLite first builds a table of the values and takes twice as long.
    any_of = or_else or Q()
    for value in ids:
        any_of |= Q(value=value)
    return Exists(DeniedToken.objects.filter(any_of))


def is_denied(claims: Claims) -> bool:
    return DeniedToken.objects.filter(value__in=claims.ids).exists()


def find(values: Iterable[str]) -> list[DeniedToken]:
    """Return the rows of those ``values`` that are denied, with the staff who denied them."""
    return list(DeniedToken.objects.filter(value__in=list(values)).select_related("denied_by"))


def deny(
    values: Iterable[tuple[str, Any]],
    *,
    kind: DeniedToken.Kind,
    reason: str,
    until: datetime,
    by: Any = None,
    address: str | None = None,
    now: datetime | None = None,
) -> None:
    """
    Deny every id of ``values``: pairs of an id and its user's primary key, or None.

    An id that is denied already keeps its first row, with who denied it first and why. ``address``
    is where the denial came from, for the log.
    """
    denied_at = now or clock.now()
    values = list(values)
    DeniedToken.objects.bulk_create(
        [
            DeniedToken(
                value=value,
                kind=kind,
                user_id=user_id,
                reason=reason,
                denied_by=by,
                denied_at=denied_at,
                until=until,
            )
            for value, user_id in values
        ],
        batch_size=500,
        ignore_conflicts=True,
    )
    announce([(value, None) for value, _ in values], kind)
    if kind is not DeniedToken.Kind.TOKEN:
        return  # session_ended or key_rotated reports it.
    for jti, user_id in values:
        what = {"jti": jti, "reason": reason, "address": address}
        signals.send(
            signals.token_denied,
            sender=DeniedToken,
            fields={**what, "user": user_id, "by": by and by.pk},
            arguments={**what, "user_id": user_id, "by": by, "until": until},
        )


def ask_about(
    key: str, *, version: int, user_id: Any, reason: str, until: datetime, now: datetime
) -> None:
    """
    Let each process in snapshot mode run strict mode's query for every access token with this id.

    ``key`` is a session's id in hex, or a ``sub`` of MAX_KEY_LENGTH characters at most; ``version`` tells
    apart the times at which something about it changed. Strict mode queries the rows in any case.
    """
    value = f"{key}{_BEFORE_VERSION}{version}"
    deny([(value, user_id)], kind=DeniedToken.Kind.ASK, reason=reason, until=until, now=now)


def prunable(*, now: datetime) -> QuerySet[DeniedToken]:
    """Return the rows that no host needs to refuse a token, earliest ``until`` first."""
    return DeniedToken.objects.filter(until__lt=now - PRUNE_SAFETY_MARGIN).order_by("until")

"""
Deletes the rows that are of no use any more: old denials, sessions, counts and keys.

It un-revokes nothing: a denial goes when what it refused has expired by every host's clock, and
the tokens of a session that is gone are refused because it is.

Rows go in batches, the longest over first, each in a transaction of its own that locks these rows
and no other, at the pace that ``pace`` sets. So it may run anywhere and at any time, twice at
once, and be killed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connections, router, transaction
from django.db.models import BooleanField, F, Func, Q, QuerySet
from django.utils import timezone

from .. import denylist, keyring, signals
from ..conf import conf
from ..limits import counts
from ..models import EndReason, PruneRun, Session
from .pacing import Pace, paced

FIRST_BATCH = 500  # rows
LARGEST_BATCH = 50_000
OVERDUE_AFTER = timedelta(days=7)

Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many rows of each kind were deleted, and whether none is left that is due."""

    deleted: dict[str, int]
    complete: bool


def due(*, now: datetime | None = None) -> dict[str, list[Rows]]:
    """Return the rows that can go, by kind, as queries that an index answers in their order."""
    now = now or timezone.now()
    return {
        "denials": [denylist.prunable(now=now)],
        "sessions": _sessions(now=now),
        "throttle_counts": [counts.prunable(now=now)],
        "keys": [keyring.prunable(now=now)],
    }


def count(*, now: datetime | None = None) -> dict[str, int]:
    """Return how many rows of each kind can go."""
    return {kind: sum(rows.count() for rows in queries) for kind, queries in due(now=now).items()}


def overdue(*, now: datetime | None = None) -> list[str]:
    """Return the kinds of which rows could have gone OVERDUE_AFTER ago, and are still there."""
    then = (now or timezone.now()) - OVERDUE_AFTER
    return [
        kind for kind, queries in due(now=then).items() if any(rows.exists() for rows in queries)
    ]


def prune(
    *,
    batch_size: int = LARGEST_BATCH,
    max_seconds: float | None = None,
    progress: Callable[[str, int], None] | None = None,
    now: datetime | None = None,
) -> Outcome:
    """
    Delete what is due, or as much of it as begins within ``max_seconds``.

    A batch has at most ``batch_size`` rows. ``progress`` is told after each how many rows of a kind
    have durably gone so far.
    """
    now = now or timezone.now()
    began = time.monotonic()
    deadline = None if max_seconds is None else began + max_seconds
    deleted: dict[str, int] = {}
    PruneRun.objects.update_or_create(
        defaults={"started_at": now, "finished_at": None, "complete": False, "deleted": {}}, pk=1
    )
    complete = True
    with paced(router.db_for_write(Session)) as pace:
        for kind, queries in due(now=now).items():
            deleted[kind] = 0

            def report(more: int, kind: str = kind) -> None:
                deleted[kind] += more
                if progress:
                    progress(kind, deleted[kind])

            for rows in queries:
                complete &= _delete(
                    rows, pace=pace, batch_size=batch_size, deadline=deadline, report=report
                )
    PruneRun.objects.filter(pk=1).update(
        finished_at=now + timedelta(seconds=time.monotonic() - began),
        complete=complete,
        deleted=deleted,
    )
    signals.log("pruned", complete=complete, **deleted)
    return Outcome(deleted, complete)


def _sessions(*, now: datetime) -> list[Rows]:
    ended = [
        Session.objects.filter(end_reason=reason, ended_at__lt=now - _retention(reason)).order_by(
            "ended_at"
        )
        for reason in EndReason
    ]
    # An idle one is found by its absolute limit: idle_until is in no index, for the rotations' sake.
    expired = Session.objects.filter(ended_at=None, expires_at__lt=now - conf.TOKENS_RETENTION)
    return [*ended, expired.order_by("expires_at")]


def _retention(reason: EndReason) -> timedelta:
    if reason is EndReason.REUSE:
        return conf.TOKENS_INCIDENT_RETENTION
    return conf.TOKENS_RETENTION


def _delete(
    rows: Rows,
    *,
    pace: Pace,
    batch_size: int,
    deadline: float | None,
    report: Callable[[int], None],
) -> bool:
    """Delete these rows in batches; False if some are left when the deadline has passed."""
    size, left = min(FIRST_BATCH, batch_size), rows
    (field,) = rows.query.order_by or ["pk"]
    # Asked outside a transaction: where nothing is due, SQLite's one lock is not taken.
    while (first := left.values_list(field, flat=True).first()) is not None:
        if deadline is not None and time.monotonic() >= deadline:
            return False
        # In PostgreSQL's index the deleted rows stay until it is vacuumed. From its beginning, each
        # batch would walk over all those of the batches before.
        left = rows.filter(**{f"{field}__gte": first})
        gone, took = _delete_batch(left, size=size)
        if gone:
            report(gone)
        if gone < size:
            break
        pace.rest(took)
        size = min(pace.next_size(size, took), batch_size)
    return True


def _delete_batch(rows: Rows, *, size: int) -> tuple[int, float]:
    """Return how many rows are gone now, and the seconds from the first lock to the last."""
    using = router.db_for_write(rows.model)
    with transaction.atomic(using=using):
        # From here on: the wait for SQLite's lock says nothing about the batch.
        began = time.monotonic()
        # What another prune has just taken is skipped: neither waits for the other.
        taken = rows.using(using).select_for_update(skip_locked=True).values("pk")[:size]
        # One statement, unless a project's foreign key or receiver has to be followed.
        _, by_model = rows.model._default_manager.using(using).filter(_among(taken)).delete()
    return by_model.get(rows.model._meta.label, 0), time.monotonic() - began


def _among(keys: Rows) -> Q | Func:
    """Return the condition that a row's key is one of these, each looked up by itself."""
    if connections[keys.db].vendor != "postgresql":
        return Q(pk__in=keys)
    # Needs psycopg.
    from django.contrib.postgres.expressions import ArraySubquery

    # An IN is planned as a join, for which PostgreSQL may read the whole table in every batch.
    return _EqualsAny(F("pk"), ArraySubquery(keys))


class _EqualsAny(Func):
    template = "%(expressions)s)"
    arg_joiner = " = ANY ("
    arity = 2
    output_field = BooleanField()

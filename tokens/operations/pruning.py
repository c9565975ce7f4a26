"""
Delete rows that are no longer needed: old denials, sessions, counts and keys.

Pruning never makes a refused token acceptable. A denial is deleted when the tokens that it refuses
have expired by every host's clock, and tokens of a deleted session are refused.

Rows are deleted in batches, oldest first, at the pace that ``pacing`` sets. Each batch is a
transaction that locks only its own rows. So pruning may run on any host, at any time and twice at
once, and may be killed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connections, router, transaction
from django.db.models import BooleanField, F, Func, Q, QuerySet

from .. import clock, denylist, keyring, limits, signals
from ..conf import conf
from ..models import EndReason, PruneRun, Session
from .pacing import Pace, paced

FIRST_BATCH = 500  # rows
LARGEST_BATCH = 50_000
OVERDUE_AFTER = timedelta(days=7)

Rows = QuerySet[Any]
# Returns the rows of an optional package that can be deleted, each query in the order of one column.
Due = Callable[[datetime], list[Rows]]

_others: dict[str, Due] = {}
other_nouns: dict[str, str] = {}


def add(kind: str, noun: str, rows: Due) -> None:
    """Prune rows of an optional package too. Outcomes name the kind if there are any."""
    _others[kind] = rows
    other_nouns[kind] = noun


@dataclass(frozen=True, slots=True)
class Outcome:
    """The number of deleted rows by kind; ``complete`` if no row was left to delete."""

    deleted: dict[str, int]
    complete: bool


def due(*, now: datetime | None = None) -> dict[str, list[Rows]]:
    """Return the rows that can be deleted, by kind. An index serves each query in its order."""
    now = now or clock.now()
    return {
        "denials": [denylist.prunable(now=now)],
        "sessions": _sessions(now=now),
        "throttle_counts": [limits.prunable(now=now)],
        "keys": [keyring.prunable(now=now)],
        **{kind: rows(now) for kind, rows in _others.items()},
    }


def count(*, now: datetime | None = None) -> dict[str, int]:
    """Return how many rows of each kind can be deleted."""
    counted = {kind: sum(map(_count, queries)) for kind, queries in due(now=now).items()}
    return _without_idle(counted)


def _count(rows: Rows) -> int:
    return rows.count()


def _without_idle(rows: dict[str, int]) -> dict[str, int]:
    """Leave out the kinds of optional packages that have no rows."""
    return {kind: count for kind, count in rows.items() if count or kind not in _others}


def overdue(*, now: datetime | None = None) -> list[str]:
    """Return the kinds with rows that could have been deleted OVERDUE_AFTER ago."""
    then = (now or clock.now()) - OVERDUE_AFTER
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
    Delete all rows that are due. Begin no batch after ``max_seconds``.

    A batch has at most ``batch_size`` rows. After each batch ``progress`` is called with the kind
    and the number of its rows that have durably been deleted so far.
    """
    now = now or clock.now()
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
    deleted = _without_idle(deleted)
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
    # Idle sessions are deleted after their absolute limit: idle_until has no index, because each
    # rotation would have to update it.
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
    """Delete ``rows`` in batches; return False if rows were left at the deadline."""
    size, remaining = min(FIRST_BATCH, batch_size), rows
    (field,) = rows.query.order_by or ["pk"]
    # Queried outside a transaction, so that SQLite's lock is not taken if nothing is due.
    while (first := remaining.values_list(field, flat=True).first()) is not None:
        if deadline is not None and time.monotonic() >= deadline:
            return False
        # Start from the first remaining row. PostgreSQL keeps deleted rows in the index until the
        # next vacuum, and each batch would read all those of the batches before it.
        remaining = rows.filter(**{f"{field}__gte": first})
        deleted, seconds = _delete_batch(remaining, size=size)
        if deleted:
            report(deleted)
        if deleted < size:
            break
        pace.rest(seconds)
        size = min(pace.next_size(size, seconds), batch_size)
    return True


def _delete_batch(rows: Rows, *, size: int) -> tuple[int, float]:
    """Delete one batch; return the number of its rows, and the seconds that it held locks."""
    using = router.db_for_write(rows.model)
    with transaction.atomic(using=using):
        # Inside the transaction, because the wait for SQLite's lock is not part of the batch.
        began = time.monotonic()
        # Skip rows that another run has locked, so that neither waits for the other.
        taken = rows.using(using).select_for_update(skip_locked=True).values("pk")[:size]
        # One statement, unless a project has a foreign key to the model, or a receiver for it.
        _, by_model = rows.model._default_manager.using(using).filter(_among(taken)).delete()
    return by_model.get(rows.model._meta.label, 0), time.monotonic() - began


def _among(keys: Rows) -> Q | Func:
    """Return the condition that a row's primary key is one of ``keys``, each found by index."""
    if connections[keys.db].vendor != "postgresql":
        return Q(pk__in=keys)
    # This import needs psycopg.
    from django.contrib.postgres.expressions import ArraySubquery  # PostgreSQL only

    # PostgreSQL plans an IN as a join, and may read the whole table for it in each batch.
    return _EqualsAny(F("pk"), ArraySubquery(keys))  # PostgreSQL only


class _EqualsAny(Func):
    template = "%(expressions)s)"
    arg_joiner = " = ANY ("
    arity = 2
    output_field = BooleanField()

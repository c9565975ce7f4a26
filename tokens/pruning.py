"""
Deletes the rows that are of no use any more: old denials, sessions, counts and keys.

It un-revokes nothing: a denial goes when what it refused has expired by every host's clock, and
the tokens of a session that is gone are refused because it is.

Rows go in small batches, the longest over first, each in a transaction of its own that locks
these rows and no other, with a rest in between. So it may run anywhere and at any time, twice at
once, and be killed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from . import denylist, events, keyring, throttling
from .conf import conf
from .models import EndReason, PruneRun, Session

BATCH_SIZE = 1000
# On SQLite, writers that wait for their turn look for it every tenth of a second.
LEAST_REST = 0.1  # seconds
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
        "throttle_counts": [throttling.prunable(now=now)],
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
    batch_size: int = BATCH_SIZE,
    max_seconds: float | None = None,
    progress: Callable[[str, int], None] | None = None,
    now: datetime | None = None,
) -> Outcome:
    """
    Delete what is due, or as much of it as begins within ``max_seconds``.

    ``progress`` is told after each batch how many rows of a kind have durably gone so far.
    """
    now = now or timezone.now()
    began = time.monotonic()
    deadline = None if max_seconds is None else began + max_seconds
    deleted: dict[str, int] = {}
    PruneRun.objects.update_or_create(
        defaults={"started_at": now, "finished_at": None, "complete": False, "deleted": {}}, pk=1
    )
    complete = True
    for kind, queries in due(now=now).items():
        deleted[kind] = 0

        def report(more: int, kind: str = kind) -> None:
            deleted[kind] += more
            if progress:
                progress(kind, deleted[kind])

        for rows in queries:
            complete &= _delete(rows, batch_size=batch_size, deadline=deadline, report=report)
    PruneRun.objects.filter(pk=1).update(
        finished_at=now + timedelta(seconds=time.monotonic() - began),
        complete=complete,
        deleted=deleted,
    )
    events.log("pruned", complete=complete, **deleted)
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
    rows: Rows, *, batch_size: int, deadline: float | None, report: Callable[[int], None]
) -> bool:
    """Delete these rows in batches; False if some are left when the deadline has passed."""
    # Asked outside a transaction: where nothing is due, SQLite's one lock is not taken.
    while rows.exists():
        began = time.monotonic()
        if deadline is not None and began >= deadline:
            return False
        taken, gone = _delete_batch(rows, size=batch_size)
        if gone:
            report(gone)
        if taken < batch_size:
            break
        # As long again as it took, so that at least half of the time is the others'.
        time.sleep(max(LEAST_REST, time.monotonic() - began))
    return True


def _delete_batch(rows: Rows, *, size: int) -> tuple[int, int]:
    """Return how many rows were taken up, and how many of them are gone now."""
    with transaction.atomic():
        # What another prune has just taken is skipped: neither waits for the other.
        keys = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:size])
        _, by_model = rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys), by_model.get(rows.model._meta.label, 0)

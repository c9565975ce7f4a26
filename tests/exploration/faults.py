"""Faults: patches that each remove one protection of the product, and the scenario that must notice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from unittest import mock

from tokens import denylist
from tokens.models import Session
from tokens.sessions import decision, locking, writes
from tokens.sessions.locking import LockedUser

from .processes import copy as snapshot
from .scenarios import LATE_ANSWER, SCENARIOS
from .search import explore
from .worker import Outcome


@dataclass(frozen=True)
class Fault:
    """``target`` is replaced by ``by``."""

    name: str
    target: str  # below ``tokens``
    by: Any
    scenario: str
    only_on: str = ""  # the engine on which it matters


def find(fault: Fault) -> Outcome:
    """Return what the exploration finds, up to the first violation, while the fault is there."""
    with mock.patch(f"tokens.{fault.target}", fault.by):
        outcome = explore(SCENARIOS[fault.scenario], until_found=True)
    outcome.name = fault.name
    return outcome


def _rotate(
    pk: Any, generation: int, known_hash: str, *, late_since: Any, without: str, **columns: Any
) -> bool:
    conditions = {"generation": generation, "auth_hash": known_hash}
    del conditions[without]
    changes = {**writes._changes(columns, late_since), "generation": generation + 1}
    return bool(Session.objects.filter(pk=pk, ended_at=None, **conditions).update(**changes))


def _count_repeat(pk: Any, generation: int, *, elsewhere: bool, now: Any, without: str) -> bool:
    conditions, columns = {"generation": generation}, {"repeated_at": now}
    for names in (conditions, columns):
        names.pop(without, None)
    columns.update(writes._one_repeat_more(elsewhere))
    return bool(Session.objects.filter(pk=pk, **conditions).update(**columns))


def _believe(user: Any, session: Session) -> LockedUser:
    stored = locking.lock_for_sign_in(user)
    session.started_at = denylist.begin_after(session.started_at, stored.cut_off)
    return stored


def _read(user: Any) -> LockedUser | None:
    rows = locking._rows(user.pk)
    rows.query.select_for_update = False
    with mock.patch.object(locking, "_rows", return_value=rows):
        return locking.find_through_orm(user.pk)


def _check_session(claims: Any, session: Session, *, now: Any) -> None:
    decision.check_continues(session, now=now)


def _do_once(work: Callable[[], Any], model: Any, **how: Any) -> Any:
    return work()


def _read_new_rows(copy: Any, alias: str, *, now: Any) -> None:
    if copy._floor is None:
        copy._read_anew(alias, now=now)
    rows = copy._rows(alias).filter(pk__gt=copy._settled)
    copy._accept(sorted(rows.values_list(*snapshot._COLUMNS)), snapshot.clock.elapsed())


def _read_once(copy: Any, alias: str, *, now: Any) -> None:
    if copy._floor is None:
        copy._read_anew(alias, now=now)
    copy._read_at = snapshot.clock.elapsed()


def _nothing(*args: Any, **kwargs: Any) -> Any:
    """Do nothing."""


_REFRESHING, _WRITES, _LIFECYCLE = "sessions.refreshing", "sessions.writes", "sessions.lifecycle"
_TWO_TABS = "two tabs refresh"
_PASSWORD = "staff set a password"

_FAULTS = [
    Fault(
        "a rotation wins whatever the generation is",
        f"{_WRITES}.rotate",
        partial(_rotate, without="generation"),
        _TWO_TABS,
    ),
    Fault(
        "a rotation writes the former auth hash back",
        f"{_WRITES}.rotate",
        partial(_rotate, without="auth_hash"),
        "two sign-ins store a better hash",
    ),
    Fault(
        "a pair is given again although it was superseded",
        f"{_WRITES}.count_repeat",
        partial(_count_repeat, without="generation"),
        "a pair is given again while another call rotates",
    ),
    Fault(
        "a late answer is not forgiven",
        f"{_WRITES}.count_repeat",
        partial(_count_repeat, without="repeated_at"),
        LATE_ANSWER,
    ),
    Fault(
        "a pair given again is not recorded",
        f"{_REFRESHING}.record_repeat",
        lambda *args, **how: True,
        _TWO_TABS,
    ),
    Fault(
        "a reuse ends nothing",
        f"{_REFRESHING}.end_reused",
        _nothing,
        "a thief is late",
    ),
    Fault(
        "a sign-in believes what it has read", f"{_LIFECYCLE}._lock_unchanged", _believe, _PASSWORD
    ),
    Fault(
        "a sign-in locks nothing",
        f"{_LIFECYCLE}.lock_for_sign_in",
        _read,
        _PASSWORD,
        only_on="postgresql",
    ),
    Fault(
        "an end is not repeated after a rollback",
        "database.lasting.do",
        _do_once,
        "a sign-out is rolled back",
    ),
    Fault(
        "a refresh does not ask whether its key was revoked meanwhile",
        f"{_REFRESHING}._refuse_revoked_meanwhile",
        _nothing,
        "the keys are revoked",
    ),
    Fault(
        "a password change leaves the earlier tokens of its session",
        "sessions.decision.check_session",
        _check_session,
        "a password change and a thief",
    ),
    Fault(
        "a sign-in beyond the limit ends nothing",
        "sessions.limit.end_excess",
        _nothing,
        "sign-ins at the limit",
    ),
    Fault(
        "pruning deletes what still matters",
        "denylist.entries.PRUNE_SAFETY_MARGIN",
        -timedelta(hours=1),
        "pruning by a clock that is an hour ahead",
    ),
]
_SNAPSHOT = [
    Fault(
        "an end writes no denial",
        "sessions.ending._deny",
        _nothing,
        "snapshot: a sign-out",
    ),
    Fault(
        "a password change tells no copy of the denylist",
        "sessions.passwords._refuse_earlier_tokens",
        _nothing,
        "snapshot: a password change and a thief",
    ),
    Fault(
        "a copy knows no cut-off",
        "snapshot.copy.Copy._is_cut_off",
        lambda *claims: False,
        "snapshot: everything is revoked",
    ),
    Fault(
        "a copy is never too old",
        "snapshot.copy.Copy._read",
        _read_once,
        "snapshot: a deactivation",
    ),
    Fault(
        "a copy misses what is committed late",
        "snapshot.copy.Copy._read",
        _read_new_rows,
        "snapshot: sign-outs commit in any order",
        only_on="postgresql",
    ),
]
FAULTS = {fault.name: fault for fault in [*_FAULTS, *(_SNAPSHOT if snapshot else [])]}

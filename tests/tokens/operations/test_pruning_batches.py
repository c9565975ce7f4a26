"""Pruning works in batches, with rests, a time limit and a record of each run."""

import time
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_delete
from django.test.utils import CaptureQueriesContext

from tests.tokens.operations.test_pruning import DAY, NOW, deny, ended
from tokens.models import DeniedToken, PruneRun, Session
from tokens.operations import pruning

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the rests between batches instead of taking them."""
    taken: list[float] = []
    monkeypatch.setattr(time, "sleep", taken.append)
    return taken


class Clock:
    """A clock that advances only with the number of denials that are deleted."""

    def __init__(self, *, per_denial: float) -> None:
        self.begins_with = DeniedToken.objects.count()
        self.per_denial = per_denial

    def __call__(self) -> float:
        return (self.begins_with - DeniedToken.objects.count()) * self.per_denial


class TestBatches:
    @pytest.fixture(autouse=True)
    def _quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let no batch take any time, however busy the machine is."""
        monkeypatch.setattr(time, "monotonic", lambda: 0.0)

    def test_each_is_one_statement_in_a_transaction_of_its_own(self) -> None:
        deny(*"abcdefg", until=NOW - DAY)
        said: list[tuple[str, int]] = []
        with CaptureQueriesContext(connection) as captured:
            pruning.prune(now=NOW, batch_size=3, progress=lambda *far: said.append(far))
        assert said == [("denials", 3), ("denials", 6), ("denials", 7)]
        begun = [q["sql"].split()[0] for q in captured.captured_queries]
        first = begun.index("DELETE")
        assert begun[first - 1 : first + 2] == ["SAVEPOINT", "DELETE", "RELEASE"]
        assert begun.count("DELETE") == 3

    @pytest.mark.parametrize(
        ("first", "per_denial", "batches"),
        [(5, 1 / 512, [5, 10, 20, 25, 25, 15]), (40, 1 / 256, [40, 12, 12, 12, 12, 12])],
        ids=["quick", "slow"],
    )
    def test_they_come_to_take_the_time_that_is_meant_for_one(
        self, monkeypatch: pytest.MonkeyPatch, first: int, per_denial: float, batches: list[int]
    ) -> None:
        deny(*(str(n) for n in range(100)), until=NOW - DAY)
        monkeypatch.setattr(pruning, "FIRST_BATCH", first)
        monkeypatch.setattr(time, "monotonic", Clock(per_denial=per_denial))
        gone = [0]
        pruning.prune(now=NOW, progress=lambda kind, so_far: gone.append(so_far))
        assert [after - before for before, after in pairwise(gone)] == batches

    def test_they_never_get_larger_than_was_asked_for(self) -> None:
        deny(*(str(n) for n in range(20)), until=NOW - DAY)
        gone: list[int] = []
        pruning.prune(now=NOW, batch_size=8, progress=lambda kind, so_far: gone.append(so_far))
        assert gone == [8, 16, 20]

    def test_after_each_it_rests_for_a_part_of_what_it_took(
        self, monkeypatch: pytest.MonkeyPatch, rests: list[float]
    ) -> None:
        deny(*"abcdefg", until=NOW - DAY)
        monkeypatch.setattr(time, "monotonic", Clock(per_denial=0.01))
        pruning.prune(now=NOW, batch_size=3)
        assert rests == pytest.approx([0.015, 0.015])

    def test_each_looks_from_the_first_row_that_is_left(self) -> None:
        """Otherwise it scans PostgreSQL's index entries of rows deleted by earlier batches."""
        for days, value in enumerate("cba", start=1):
            deny(value, until=NOW - days * DAY)
        with CaptureQueriesContext(connection) as captured:
            pruning.prune(now=NOW, batch_size=1)
        deletes = [q["sql"] for q in captured.captured_queries if q["sql"].startswith("DELETE")]
        bounds = [[str(day) for day in (29, 30, 31) if f"2029-12-{day}" in sql] for sql in deletes]
        # Each also has the upper bound of what is due, an hour ago.
        assert bounds == [["29", "31"], ["30", "31"], ["31"]]
        assert [sql.count(">=") for sql in deletes] == [1, 1, 1]

    @pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such plan")
    def test_none_reads_the_whole_table(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO tokens_deniedtoken (value, kind, reason, denied_at, until, nonce)"
                " SELECT n, 'jti', 'lost', %s, %s, n FROM generate_series(1, 20000) n",
                [NOW - DAY, NOW - DAY],
            )
            cursor.execute("ANALYZE tokens_deniedtoken")
        plans: list[str] = []

        def explain(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
            if sql.startswith("DELETE"):
                with connection.cursor() as cursor:
                    cursor.execute(f"EXPLAIN {sql}", params)
                    plans.append("\n".join(line for (line,) in cursor))
            return execute(sql, params, *rest)

        with connection.execute_wrapper(explain):
            # Most of the table in one batch is read best as a whole.
            pruned = pruning.prune(now=NOW, batch_size=2000)
        assert pruned.deleted["denials"] == 20000
        assert len(plans) > 3
        for plan in plans:
            assert "Seq Scan" not in plan, plan

    def test_a_projects_receiver_hears_of_each_row(self, user: Any) -> None:
        left = {ended(user, at=NOW - 91 * DAY).pk for _ in range(3)}
        heard = set()

        def receiver(instance: Session, **kwargs: Any) -> None:
            heard.add(instance.pk)

        post_delete.connect(receiver, Session)
        try:
            assert pruning.prune(now=NOW).deleted["sessions"] == 3
        finally:
            post_delete.disconnect(receiver, Session)
        assert heard == left

    def test_the_longest_over_goes_first(self) -> None:
        deny("b", until=NOW - 2 * DAY)
        deny("a", until=NOW - 3 * DAY)
        deny("c", until=NOW - DAY)
        left: list[list[str]] = []

        def note(kind: str, gone: int) -> None:
            left.append(sorted(DeniedToken.objects.values_list("value", flat=True)))

        pruning.prune(now=NOW, batch_size=1, progress=note)
        assert left == [["b", "c"], ["c"], []]

    def test_after_its_time_it_stops_and_the_next_run_does_the_rest(
        self, monkeypatch: pytest.MonkeyPatch, user: Any
    ) -> None:
        deny(*"abcdefg", until=NOW - DAY)
        ended(user, at=NOW - 91 * DAY)
        clock = iter(range(1000))
        monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
        outcome = pruning.prune(now=NOW, batch_size=2, max_seconds=5)
        assert not outcome.complete
        assert 0 < outcome.deleted["denials"] < 8
        assert outcome.deleted["sessions"] == 0
        assert pruning.prune(now=NOW, max_seconds=500).complete
        assert not any(pruning.count(now=NOW).values())


class TestRecord:
    def test_when_it_last_ran_is_on_record_in_one_row(self) -> None:
        pruning.prune(now=NOW - DAY)
        deny("a", until=NOW - DAY)
        pruning.prune(now=NOW)
        run = PruneRun.objects.get()
        assert (run.started_at, run.complete, run.deleted["denials"]) == (NOW, True, 1)
        assert run.finished_at is not None
        assert NOW <= run.finished_at <= NOW + timedelta(minutes=1)
        assert str(run) == "pruning of 2030-01-01 00:00"
        with pytest.raises(IntegrityError), transaction.atomic():
            PruneRun.objects.create(pk=2, started_at=NOW)

    def test_one_that_is_killed_has_begun_and_not_finished(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pruning.prune(now=NOW - DAY)
        deny("a", until=NOW - DAY)

        def die(*args: Any) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            pruning.prune(now=NOW, progress=die)
        run = PruneRun.objects.get()
        assert (run.started_at, run.finished_at, run.complete) == (NOW, None, False)

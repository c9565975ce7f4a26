"""How long a batch of pruning may take, and what SQLite does between two batches."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from tests.support.processes import content_of
from tests.tokens.operations.test_pruning import DAY, NOW, deny
from tokens.models import ThrottleCount
from tokens.operations import pruning
from tokens.operations.pacing import (
    BATCH_SECONDS,
    IDLE_AFTER,
    IDLE_BATCH_SECONDS,
    PAGE_CACHE,
    REST_RATIO,
    Pace,
    paced,
)

on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite's one lock")


class Clock:
    """Stands in for ``time.monotonic``, and advances by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


@pytest.fixture
def other_connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        yield other


def pragma(statement: str) -> Any:
    with connection.cursor() as cursor:
        row = cursor.execute(f"PRAGMA {statement}").fetchone()
    return row and row[0]


@pytest.mark.parametrize(
    ("took", "size"),
    [(0.0, 200), (0.01, 200), (0.04, 125), (0.05, 100), (0.1, 50), (5.0, 1), (50.0, 1)],
)
def test_the_next_batch_would_have_taken_its_time_and_is_twice_as_large_at_most(
    took: float, size: int
) -> None:
    assert Pace().next_size(100, took) == size


@on_sqlite
@pytest.mark.django_db(transaction=True)
def test_where_no_other_connection_writes_a_batch_takes_longer(
    clock: Clock, other_connection: sqlite3.Connection
) -> None:
    with paced("default") as kept:
        assert kept.batch_seconds() == BATCH_SECONDS
        clock.sleep(IDLE_AFTER)
        assert kept.batch_seconds() == IDLE_BATCH_SECONDS
        # The connection's own writes do not count.
        ThrottleCount.objects.create(caller="a", clear_at=1)
        kept.rest(took=0.1)
        assert kept.batch_seconds() == IDLE_BATCH_SECONDS
        with other_connection:
            other_connection.execute("UPDATE tokens_throttlecount SET clear_at = 2")
        kept.rest(took=0.1)
        assert kept.batch_seconds() == BATCH_SECONDS
        kept.rest(took=2 * IDLE_AFTER)
        assert kept.batch_seconds() == IDLE_BATCH_SECONDS


@on_sqlite
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("batch_size", [2, 100], ids=["several batches", "one"])
def test_in_the_end_the_file_has_what_the_log_had(
    clock: Clock, tmp_path: Path, batch_size: int
) -> None:
    """Otherwise the next writer, such as a sign-in, would have to copy the log into the file."""

    def in_the_file() -> int:
        file = tmp_path / "without-its-log.sqlite3"
        file.write_bytes(content_of(Path(connection.settings_dict["NAME"])))
        with closing(sqlite3.connect(file)) as copy:
            return int(copy.execute("SELECT count(*) FROM tokens_deniedtoken").fetchone()[0])

    deny(*"abcde", until=NOW - DAY)
    pragma("wal_checkpoint")
    assert in_the_file() == 5
    pruning.prune(now=NOW, batch_size=batch_size)
    assert in_the_file() == 0


@on_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_reader_on_the_same_connection_stops_no_pruning() -> None:
    deny(*"abcde", until=NOW - DAY)
    with connection.cursor() as reading:
        reading.execute("SELECT * FROM tokens_deniedtoken")
        assert pruning.prune(now=NOW, batch_size=2).deleted["denials"] == 5


@on_sqlite
@pytest.mark.django_db
def test_a_batchs_pages_fit_into_memory_and_afterwards_the_connection_is_as_before() -> None:
    pragma("cache_size = -2000")
    pragma("wal_autocheckpoint = 700")
    during: list[tuple[int, int]] = []

    def die(*args: Any) -> None:
        during.append((pragma("cache_size"), pragma("wal_autocheckpoint")))
        transaction.set_rollback(True)
        raise KeyboardInterrupt

    deny("a", until=NOW - DAY)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        pruning.prune(now=NOW, progress=die)
    assert during == [(-PAGE_CACHE, 0)]
    assert (pragma("cache_size"), pragma("wal_autocheckpoint")) == (-2000, 700)


def test_other_databases_rest_a_share_of_the_time_that_a_batch_took(clock: Clock) -> None:
    Pace().rest(took=1.0)
    assert clock.now == 1000.0 + REST_RATIO

"""Rows that appear after higher numbers are read, and rows that no longer matter are dropped."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tokens import sessions
from tokens.denylist import snapshot
from tokens.errors import Denied
from tokens.sessions import TokenPair

from .denials import BOUND, clock, deny_elsewhere, end, refusal, wait_for_the_bound

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("snapshot_mode"),
]


def test_a_row_that_was_committed_late_is_seen_all_the_same(pair: TokenPair, settings: Any) -> None:
    # A row gets its number when it is written, and becomes visible when it is committed.
    deny_elsewhere("first", pk=1000)
    deny_elsewhere("quick", pk=1010)
    wait_for_the_bound(settings)
    sessions.authenticate(pair.raw_access)
    deny_elsewhere(str(pair.session.pk), pk=1005)
    wait_for_the_bound(settings)
    assert refusal(pair) is Denied


def test_a_row_below_the_first_one_that_is_seen_can_come_late_too(user: Any, settings: Any) -> None:
    pair = sessions.start(user)
    deny_elsewhere("quick", pk=1010)
    sessions.authenticate(pair.raw_access)
    deny_elsewhere(str(pair.session.pk), pk=1005)
    wait_for_the_bound(settings)
    assert refusal(pair) is Denied


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_transaction_that_is_slow_to_commit_is_waited_for(pair: TokenPair, settings: Any) -> None:
    slow = connection.copy()
    try:
        with slow.cursor() as cursor:
            now = timezone.now()
            cursor.execute("BEGIN")
            cursor.execute(
                "INSERT INTO tokens_deniedtoken (value, kind, reason, denied_at, until) "
                "VALUES (%s, 'sid', '?', %s, %s)",
                [str(pair.session.pk), now, now + timedelta(minutes=6)],
            )
            deny_elsewhere("quick")
            wait_for_the_bound(settings)
            sessions.authenticate(pair.raw_access)
            cursor.execute("COMMIT")
    finally:
        slow.close()
    wait_for_the_bound(settings)
    assert refusal(pair) is Denied


def test_missing_numbers_are_asked_for_no_longer_than_they_matter(
    pair: TokenPair, settings: Any
) -> None:
    deny_elsewhere("far", pk=10_000)
    wait_for_the_bound(settings)
    sessions.authenticate(pair.raw_access)
    held = snapshot._snapshot
    assert [(gap.first, gap.last) for gap in held._gaps][-1][1] == 9_999
    clock.skip(timedelta(hours=1))
    sessions.authenticate(pair.raw_access)
    assert held._gaps == []


def test_many_gaps_become_one_that_holds_them_all(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "MAX_GAPS", 3)
    for pk in range(1000, 1020, 2):
        deny_elsewhere(f"value {pk}", pk=pk)
    wait_for_the_bound(settings)
    sessions.authenticate(pair.raw_access)
    (gap,) = snapshot._snapshot._gaps
    assert gap.last == 1017
    deny_elsewhere(str(pair.session.pk), pk=1007)
    wait_for_the_bound(settings)
    assert refusal(pair) is Denied


@given(st.integers(1, 40), st.integers(0, 40), st.sets(st.integers(1, 80)))
def test_missing_yields_exactly_what_is_not_there(first: int, more: int, there: set[int]) -> None:
    last = first + more
    ranges = list(snapshot.missing(first, last, sorted(there)))
    yielded = [number for a, b in ranges for number in range(a, b + 1)]
    assert yielded == [number for number in range(first, last + 1) if number not in there]


def test_what_no_longer_matters_is_let_go(
    pair: TokenPair, another: snapshot.Snapshot, settings: Any
) -> None:
    end(pair)
    wait_for_the_bound(settings)
    another.is_known_good([], now=timezone.now())
    assert len(another) == 1
    another._swept_at = -1e9
    clock.skip(BOUND)
    another.is_known_good([], now=timezone.now() + timedelta(minutes=7))
    assert len(another) == 0


def test_a_hundred_thousand_denials_in_one_access_life(pair: TokenPair, settings: Any) -> None:
    deny_elsewhere("1")
    with connection.cursor() as cursor:  # A hundred thousand objects would take ten times as long.
        cursor.execute(
            "INSERT INTO tokens_deniedtoken (value, kind, reason, denied_at, until) "
            "WITH RECURSIVE numbers(number) AS "
            "(SELECT 2 UNION ALL SELECT number + 1 FROM numbers WHERE number < 100000) "
            "SELECT CAST(number AS varchar), kind, reason, denied_at, until "
            "FROM numbers, tokens_deniedtoken"
        )
    wait_for_the_bound(settings)
    snapshot.forget()
    sessions.authenticate(pair.raw_access)
    assert len(snapshot._snapshot) == 100_000
    deny_elsewhere(str(pair.session.pk))
    snapshot._snapshot._read_at = 0.0
    with CaptureQueriesContext(connection) as captured:
        assert refusal(pair) is Denied
    # The reading fetched the one new row, and the other query fetched the reason.
    assert len(captured) == 2
    assert len(snapshot._snapshot) == 100_001

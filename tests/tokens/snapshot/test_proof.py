"""The copy follows the database, whatever becomes of its rows, their keys and the clocks."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tokens import sessions, snapshot
from tokens.errors import Denied
from tokens.models import DeniedToken
from tokens.sessions import TokenPair
from tokens.snapshot import copy
from tokens.snapshot.copy import Copy

from .denials import BOUND, clock, deny_elsewhere, end, is_good, refusal, wait_for_the_bound

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("snapshot_mode"),
]

MINUTE = timedelta(minutes=1)
OVERLAP = 2


@pytest.fixture
def known(another: Copy, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Copy:
    """Return a copy that has read five rows, and takes the first of them as settled."""
    monkeypatch.setattr(copy, "OVERLAP", OVERLAP)
    for number in range(5):
        deny_elsewhere(f"early {number}", pk=100 + number)
    assert not is_good(another, "early 4")
    assert another._settled == 102
    settings.TOKENS_DENYLIST_MAX_STALENESS = BOUND
    return another


def read(copy: Copy) -> None:
    clock.skip(BOUND)
    assert is_good(copy, "another")


def test_a_new_row_is_read_and_nothing_else(known: Copy, caplog: pytest.LogCaptureFixture) -> None:
    deny_elsewhere("new", pk=300)
    with CaptureQueriesContext(connection) as captured:
        read(known)
    assert not is_good(known, "new")
    assert len(captured) == 2
    assert not caplog.records


@pytest.mark.parametrize("pk", [50, 101, 103, 200])
def test_a_row_with_any_key_is_read_within_the_bound(known: Copy, pk: int) -> None:
    """It was committed late, or a sequence handed out a number that was free."""
    DeniedToken.objects.filter(pk=pk).delete()
    deny_elsewhere("late", pk=pk)
    read(known)
    assert not is_good(known, "late")


def test_a_database_that_lost_rows_and_hands_out_their_keys_again_is_read_anew(
    known: Copy, caplog: pytest.LogCaptureFixture
) -> None:
    """So does a standby that was promoted, and a backup that was restored."""
    DeniedToken.objects.filter(pk__gte=101).delete()
    for number in range(4):
        deny_elsewhere(f"later {number}", pk=101 + number)
    read(known)
    assert not any(is_good(known, f"later {number}") for number in range(4))
    assert [record.getMessage()[:32] for record in caplog.records] == [
        "the denylist was read anew (5 ro"
    ]
    read(known)
    assert len(caplog.records) == 1


def test_an_empty_table_in_the_place_of_a_full_one_is_read_anew(known: Copy) -> None:
    DeniedToken.objects.all().delete()
    read(known)
    assert len(known) == 0
    deny_elsewhere("new", pk=1)
    read(known)
    assert not is_good(known, "new")


@pytest.mark.parametrize("ahead", [20 * MINUTE, -20 * MINUTE, timedelta(days=1), timedelta(-1)])
def test_a_clock_that_jumps_and_comes_back_forgets_nothing(known: Copy, ahead: timedelta) -> None:
    deny_elsewhere("denied")
    read(known)
    clock.skip(BOUND)
    is_good(known, now=timezone.now() + ahead)
    clock.skip(BOUND)
    assert not is_good(known, "denied")


@pytest.mark.parametrize("ahead", [20 * MINUTE, -20 * MINUTE])
def test_the_clock_of_the_process_that_denies_may_be_wrong(known: Copy, ahead: timedelta) -> None:
    then = timezone.now() + ahead
    deny_elsewhere("denied", denied_at=then, until=then + 6 * MINUTE)
    read(known)
    assert not is_good(known, "denied")


def test_what_no_longer_matters_is_forgotten(known: Copy) -> None:
    clock.skip(BOUND)
    assert is_good(known, "early 4", now=timezone.now() + copy.HELD_BACK + 6 * MINUTE)
    assert len(known) == 0


def test_what_this_process_denied_during_a_reading_is_kept(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_the_bound(settings)
    snapshot.forget()
    accept = Copy._accept
    denied: list[Any] = []

    def deny_first(self: Copy, *args: Any, **kwargs: Any) -> None:
        if not denied:
            denied.append(pair.session.pk)
            end(pair)  # The rows of the reading do not have it.
        accept(self, *args, **kwargs)

    monkeypatch.setattr(Copy, "_accept", deny_first)
    assert not is_good(snapshot._copies.of(DeniedToken), str(pair.session.pk))


def test_a_reading_that_was_given_up_replaces_no_later_one(known: Copy) -> None:
    deny_elsewhere("new")
    clock.skip(BOUND)
    began = clock.elapsed() - 1
    is_good(known)
    known._accept([], began, new_floor=timezone.now())
    assert not is_good(known, "new")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_transaction_that_is_slow_to_commit_is_waited_for(known: Copy, pair: TokenPair) -> None:
    slow = connection.copy()
    try:
        with slow.cursor() as cursor:
            now = timezone.now()
            cursor.execute("BEGIN")
            cursor.execute(
                "INSERT INTO tokens_deniedtoken (value, kind, reason, denied_at, until, nonce) "
                "VALUES (%s, 'sid', '?', %s, %s, 7)",
                [str(pair.session.pk), now, now + timedelta(minutes=6)],
            )
            for number in range(10):
                deny_elsewhere(f"quick {number}")
            clock.skip(BOUND)
            sessions.authenticate(pair.raw_access)
            cursor.execute("COMMIT")
    finally:
        slow.close()
    clock.skip(BOUND)
    assert refusal(pair) is Denied


def test_a_hundred_thousand_denials_in_one_access_life(pair: TokenPair, settings: Any) -> None:
    deny_elsewhere("1")
    with connection.cursor() as cursor:  # A hundred thousand objects would take ten times as long.
        cursor.execute(
            "INSERT INTO tokens_deniedtoken (value, kind, reason, denied_at, until, nonce) "
            "WITH RECURSIVE numbers(number) AS "
            "(SELECT 2 UNION ALL SELECT number + 1 FROM numbers WHERE number < 100000) "
            "SELECT CAST(number AS varchar), kind, reason, denied_at, until, nonce + number "
            "FROM numbers, tokens_deniedtoken"
        )
    wait_for_the_bound(settings)
    snapshot.forget()
    sessions.authenticate(pair.raw_access)
    assert len(snapshot._copies.of(DeniedToken)) == 100_000
    assert snapshot._copies.of(DeniedToken)._settled
    deny_elsewhere(str(pair.session.pk))
    snapshot._copies.of(DeniedToken)._read_at = 0.0
    assert refusal(pair) is Denied
    assert len(snapshot._copies.of(DeniedToken)) == 100_001

"""What happens is counted for its day, in batches that no request waits for."""

import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import PASSWORD
from tests.support.grace import rotate_twice
from tests.support.waiting import wait_until
from tokens import clock, daily, keyring, sessions, signals
from tokens.daily import counting
from tokens.database.places import Place, place_of
from tokens.errors import RefreshTokenReused
from tokens.models import DailyCount, EndReason

NOW = datetime(2030, 1, 20, 12, tzinfo=UTC)


@pytest.fixture
def at_noon(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    DailyCount.objects.all().delete()  # Servers that other tests started have committed some.
    monkeypatch.setattr(clock, "now", lambda: NOW)


def counted() -> dict[str, int]:
    """Write what was counted, and return what is not 0 of the only day."""
    daily.flush()
    row = DailyCount.objects.values(*counting.COLUMNS).get()
    return {name: number for name, number in row.items() if number}


@pytest.mark.django_db(transaction=True)
class TestEachEvent:
    @pytest.fixture(autouse=True)
    def _signing_key(self, db: None) -> None:
        keyring.ensure()

    def test_a_sign_in_counts_in_the_api_and_at_django_s_own_pages(self, user: Any) -> None:
        sessions.start(user)
        user.is_staff = True
        user.save()
        given = {"username": "ada", "password": PASSWORD}
        assert Client().post("/admin/login/", given).status_code == 302
        assert counted() == {"sign_ins": 2}

    def test_a_wrong_password_counts(self, user: Any) -> None:
        assert authenticate(username="ada", password="wrong") is None
        assert counted() == {"failed_sign_ins": 1}

    def test_a_refresh_and_a_pair_given_again_count(self, user: Any) -> None:
        pair = sessions.start(user)
        sessions.refresh(pair.raw_refresh)
        sessions.refresh(pair.raw_refresh)
        assert counted() == {"sign_ins": 1, "refreshes": 1, "repeats": 1}

    def test_what_is_only_shown_to_verify_is_not_given_again(self, user: Any) -> None:
        counting._listen("refresh_repeated", {"answered": False})
        assert not counting._counts.is_pending()

    def test_reuse_counts_and_is_a_revocation_too(self, user: Any) -> None:
        pair = sessions.start(user)
        rotate_twice(pair)
        with pytest.raises(RefreshTokenReused):
            sessions.refresh(pair.raw_refresh)
        got = counted()
        assert (got["reuses"], got["revocations"]) == (1, 1)

    @pytest.mark.parametrize("reason", list(EndReason))
    def test_what_users_do_themselves_is_no_revocation(self, user: Any, reason: EndReason) -> None:
        sessions.end([sessions.start(user).session], reason=reason)
        own = {EndReason.LOGOUT, EndReason.USER_DELETED, EndReason.OVER_LIMIT}
        assert counted().get("revocations", 0) == (reason not in own)

    def test_many_ends_at_once_count_one_by_one(self, user: Any) -> None:
        rows = [sessions.start(user).session for _ in range(3)]
        counting.forget()
        signals.log("sessions_ended", count=3, reason="revoked")
        assert rows
        assert counted() == {"revocations": 3}

    def test_a_revoked_key_and_a_revocation_of_all_users_count_once(self, user: Any) -> None:
        former = datetime.now(UTC) - timedelta(hours=1)
        keyring.rotate(keyring.plan_rotation(now=former), now=former)
        keyring.rotate(keyring.plan_rotation(revoke_previous=True), reason="leak")
        sessions.revoke_everything(note="leak")
        assert counted() == {"revocations": 2}

    def test_what_is_rolled_back_does_not_count(self, user: Any) -> None:
        @transaction.atomic
        def begin_and_fail() -> None:
            sessions.start(user)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            begin_and_fail()
        daily.flush()
        assert not DailyCount.objects.exists()


def test_the_day_is_that_of_the_sites_own_zone(at_noon: None, settings: Any) -> None:
    settings.TIME_ZONE = "Pacific/Auckland"  # 13 hours ahead in January
    counting._listen("sign_in_failed", {})
    daily.flush()
    assert DailyCount.objects.get().day == date(2030, 1, 21)


def test_a_batch_is_one_statement_that_adds_to_the_row(at_noon: None) -> None:
    for _ in range(2):
        for _ in range(50):
            counting._listen("sign_in_failed", {})
            counting._listen("session_refreshed", {})
        with CaptureQueriesContext(connection) as captured:
            daily.flush()
        assert len(captured) == 1
        assert captured[0]["sql"].startswith("INSERT INTO")
    assert counted() == {"failed_sign_ins": 100, "refreshes": 100}
    with CaptureQueriesContext(connection) as captured:
        daily.flush()
    assert not captured


def test_an_error_loses_the_batch_and_nothing_else(
    at_noon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise DatabaseError("gone")

    counting._listen("sign_in_failed", {})
    with monkeypatch.context() as patch:
        patch.setattr(counting, "_add", fail)
        daily.flush()
    counting._listen("session_refreshed", {})
    assert counted() == {"refreshes": 1}


def test_what_is_left_of_tests_is_not_written_to_the_real_database(at_noon: None) -> None:
    place = place_of(DailyCount)
    counting._add(Place(place.alias, "test_of_yesterday"), NOW.date(), Counter(refreshes=1))
    assert not DailyCount.objects.exists()


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> counting._Counts:
    """Counts with a thread, which waits for ever once this test is over, without a connection."""
    counts = counting._Counts()
    counts.has_thread = True
    monkeypatch.setattr(counting, "_counts", counts)
    monkeypatch.setattr(counting, "INTERVAL", 0.05)
    return counts


@pytest.mark.django_db(transaction=True)
def test_a_thread_writes_it_and_not_the_request(
    counts: counting._Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, threads = counting._add, []

    def noted(*args: Any) -> None:
        threads.append(threading.current_thread())
        add(*args)

    monkeypatch.setattr(counting, "_add", noted)
    counting._listen("sign_in_failed", {})
    wait_until(lambda: DailyCount.objects.filter(failed_sign_ins=1).exists())
    counting._listen("sign_in_failed", {})
    wait_until(lambda: DailyCount.objects.filter(failed_sign_ins=2).exists())
    assert set(threads) == {counts._thread}


def test_what_is_left_is_written_when_the_process_exits(at_noon: None) -> None:
    counting._listen("sign_in_failed", {})
    counting._counts.flush_at_exit()  # The tests' processes have no thread.
    assert not DailyCount.objects.exists()
    counting._counts.has_thread = True
    try:
        counting._counts.flush_at_exit()
    finally:
        counting._counts.has_thread = None
    assert DailyCount.objects.get().failed_sign_ins == 1


def test_a_row_is_called_by_its_day() -> None:
    assert str(DailyCount(day=date(2030, 1, 20))) == "counts of 2030-01-20"

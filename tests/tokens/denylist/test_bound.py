"""Without a reading within the bound, strict mode decides."""

import math
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from tokens import compiled_sql, sessions
from tokens.denylist import snapshot
from tokens.errors import SessionEnded
from tokens.sessions import TokenPair

from .denials import BOUND, clock, deny_elsewhere, end, refusal, wait_for_the_bound

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("snapshot_mode"),
]


def test_a_reading_that_fails_leaves_it_to_the_strict_look(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(snapshot.Snapshot, "_read", fail)
    wait_for_the_bound(settings)
    with CaptureQueriesContext(connection) as captured:
        assert sessions.authenticate(pair.raw_access).user.email
    assert len(captured) == 1
    end(pair)
    assert refusal(pair) is SessionEnded


def test_a_reading_that_takes_longer_than_the_bound_is_no_verdict(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_gaps = snapshot.Snapshot._close_gaps

    def slowly(self: snapshot.Snapshot, numbers: list[int]) -> None:
        close_gaps(self, numbers)
        clock.skip(BOUND * 1.5)

    monkeypatch.setattr(snapshot.Snapshot, "_close_gaps", slowly)
    wait_for_the_bound(settings)
    assert not snapshot.is_known_good([], now=timezone.now())


def test_who_waits_for_anothers_reading_waits_no_longer_than_the_bound(
    pair: TokenPair, settings: Any
) -> None:
    wait_for_the_bound(settings)
    settings.TOKENS_DENYLIST_MAX_STALENESS = timedelta(seconds=0.2)
    with snapshot._snapshot._lock:
        # Without the bound it would wait for ever: this thread holds the lock.
        assert not snapshot.is_known_good([], now=timezone.now())


def test_without_the_database_the_answer_is_503(
    api: APIClient, pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(snapshot.Snapshot, "_read", fail)
    monkeypatch.setattr(compiled_sql.Statement, "fetch_row", fail)
    wait_for_the_bound(settings)
    with pytest.raises(OperationalError):
        sessions.authenticate(pair.raw_access)
    answer = api.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    assert answer.status_code == 503
    assert answer["Retry-After"]


def test_a_transaction_that_sees_the_past_brings_nothing_up_to_date(
    pair: TokenPair, settings: Any
) -> None:
    wait_for_the_bound(settings)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            assert snapshot.is_known_good([], now=timezone.now())
        else:
            assert not snapshot.is_known_good([], now=timezone.now())


def test_threads_read_once_and_agree(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_the_bound(settings)
    deny_elsewhere("other")
    answers: list[bool] = []
    readings: list[str] = []
    read = snapshot.Snapshot._read

    def noted(self: snapshot.Snapshot, alias: str, **when: Any) -> None:
        readings.append(alias)
        read(self, alias, **when)

    monkeypatch.setattr(snapshot.Snapshot, "_read", noted)

    def ask() -> None:
        for _ in range(50):
            answers.append(snapshot.is_known_good(["unknown"], now=timezone.now()))
            answers.append(not snapshot.is_known_good(["other"], now=timezone.now()))
        connection.close()

    settings.TOKENS_DENYLIST_MAX_STALENESS = timedelta(seconds=30)
    snapshot._snapshot._read_at = -math.inf
    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answers)
    assert len(answers) == 400
    assert len(readings) == 1

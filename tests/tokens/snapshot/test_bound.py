"""Without a reading within the bound, strict mode decides."""

import math
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tokens import sessions, snapshot
from tokens.database import compiled_sql
from tokens.errors import SessionEnded
from tokens.models import DeniedToken
from tokens.sessions import TokenPair
from tokens.snapshot.copy import Copy

from .denials import BOUND, clock, deny_elsewhere, end, is_good, refusal, wait_for_the_bound

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("snapshot_mode"),
]


def test_a_reading_that_fails_leaves_it_to_the_strict_look(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(Copy, "_read", fail)
    wait_for_the_bound(settings)
    with CaptureQueriesContext(connection) as captured:
        assert sessions.authenticate(pair.raw_access).user.email
    assert len([query for query in captured if "tokens_session" in query["sql"]]) == 1
    end(pair)
    assert refusal(pair) is SessionEnded


def test_a_reading_that_takes_longer_than_the_bound_is_no_verdict(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = Copy._accept

    def slowly(self: Copy, *args: Any, **kwargs: Any) -> None:
        accept(self, *args, **kwargs)
        clock.skip(BOUND * 1.5)

    monkeypatch.setattr(Copy, "_accept", slowly)
    wait_for_the_bound(settings)
    assert not is_good(snapshot._copies.of(DeniedToken))


def test_no_request_waits_for_another_ones_reading(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, may_end = Event(), Event()
    read = Copy._read

    def slowly(self: Copy, alias: str, **when: Any) -> None:
        reads.set()
        may_end.wait(60)
        read(self, alias, **when)
        connection.close()

    monkeypatch.setattr(Copy, "_read", slowly)
    clock.skip(timedelta(minutes=50))  # Most of the bound: the next reading is due.
    reader = Thread(target=is_good, args=[snapshot._copies.of(DeniedToken)])
    reader.start()
    assert reads.wait(60)
    assert is_good(snapshot._copies.of(DeniedToken))  # The copy still answers.
    clock.skip(timedelta(minutes=11))
    assert not is_good(
        snapshot._copies.of(DeniedToken)
    )  # It is a case for strict mode's query, at once.
    may_end.set()
    reader.join(60)
    assert is_good(snapshot._copies.of(DeniedToken))


def test_a_reading_that_never_comes_back_is_given_up(pair: TokenPair, settings: Any) -> None:
    wait_for_the_bound(settings)
    snapshot._copies.of(DeniedToken)._reading_since = clock.elapsed()
    assert not is_good(snapshot._copies.of(DeniedToken))
    clock.skip(BOUND * 6)
    assert is_good(snapshot._copies.of(DeniedToken))


def test_a_reading_that_comes_back_after_it_was_given_up_stops_no_other(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_the_bound(settings)
    later = clock.elapsed() + 1000

    def begin_another(self: Copy, alias: str, **when: Any) -> None:
        self._reading_since = later

    monkeypatch.setattr(Copy, "_read", begin_another)
    assert not is_good(snapshot._copies.of(DeniedToken))
    assert snapshot._copies.of(DeniedToken)._reading_since == later


def test_no_request_waits_for_another_thread_that_updates_the_copy(
    pair: TokenPair, settings: Any
) -> None:
    wait_for_the_bound(settings)
    with snapshot._copies.of(DeniedToken)._lock:
        assert not is_good(snapshot._copies.of(DeniedToken))


def test_without_the_database_the_answer_is_503(
    api: APIClient, pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(Copy, "_read", fail)
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
            assert is_good(snapshot._copies.of(DeniedToken))
        else:
            assert not is_good(snapshot._copies.of(DeniedToken))


def test_of_several_threads_one_reads(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_the_bound(settings)
    deny_elsewhere("other")
    answers: list[bool] = []
    readings: list[str] = []
    read = Copy._read

    def noted(self: Copy, alias: str, **when: Any) -> None:
        readings.append(alias)
        read(self, alias, **when)

    monkeypatch.setattr(Copy, "_read", noted)

    def ask() -> None:
        for _ in range(50):
            answers.append(not is_good(snapshot._copies.of(DeniedToken), "other"))
        connection.close()

    settings.TOKENS_DENYLIST_MAX_STALENESS = timedelta(seconds=30)
    snapshot._copies.of(DeniedToken)._read_at = -math.inf
    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answers)
    assert len(answers) == 200
    assert len(readings) == 1
    assert is_good(snapshot._copies.of(DeniedToken), "unknown")

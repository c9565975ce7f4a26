"""A notification from the database causes a reading before the bound; nothing depends on it."""

import math
import os
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.processes import manage, running_site
from tokens import sessions
from tokens.denylist import notifications, snapshot
from tokens.errors import SessionEnded
from tokens.sessions import TokenPair

from .denials import deactivate, deny_elsewhere, end, refusal, wait_for_the_bound

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("snapshot_mode"),
]

MODULE = "tests.projects.snapshot.settings"
postgresql_only = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite only counts")


def revoke_in_another_process(pair: TokenPair) -> None:
    words = ["--session", str(pair.session.pk), "--reason", "stolen", "--noinput"]
    done = manage("revoke_tokens", *words, DJANGO_SETTINGS_MODULE=MODULE)
    assert done.returncode == 0, done.stdout + done.stderr


def listen() -> None:
    """Make the next request check for notifications."""
    snapshot._snapshot._listen_at = -math.inf


def soon(happens: Callable[[], bool]) -> bool:
    """Return whether it happens soon. PostgreSQL notifies after it has confirmed the commit."""
    deadline = time.monotonic() + 20
    while not happens():
        if time.monotonic() > deadline:
            return False
    return True


def hears() -> bool:
    return snapshot._snapshot._notifications.has_changes("default")


def queries_of_a_request(pair: TokenPair) -> int:
    listen()
    with CaptureQueriesContext(connection) as captured:
        sessions.authenticate(pair.raw_access)
    return len(captured)


def test_a_denial_in_another_process_is_seen_before_the_bound(pair: TokenPair) -> None:
    ids = sessions.authenticate(pair.raw_access).claims.ids
    revoke_in_another_process(pair)

    def refused() -> bool:
        listen()
        return not snapshot.is_known_good(ids, now=timezone.now())

    assert soon(refused)
    assert refusal(pair) is SessionEnded


def test_a_process_checks_for_notifications_twenty_times_per_bound(pair: TokenPair) -> None:
    revoke_in_another_process(pair)
    assert soon(hears)
    snapshot._snapshot._has_changes = True
    sessions.authenticate(pair.raw_access)  # not yet
    snapshot._snapshot._listen_at -= 3600 / 20
    assert refusal(pair) is SessionEnded


def test_without_a_notification_nothing_is_read(pair: TokenPair) -> None:
    queries_of_a_request(pair)
    assert queries_of_a_request(pair) == 0


def test_a_notification_is_kept_until_a_reading_is_possible(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries_of_a_request(pair)
    monkeypatch.setattr(snapshot, "_sees_new_commits", lambda connection: False)
    snapshot._snapshot._has_changes = True
    assert queries_of_a_request(pair) == 0
    monkeypatch.undo()
    assert queries_of_a_request(pair) == 1
    assert queries_of_a_request(pair) == 0


def test_no_request_waits_for_a_notification(pair: TokenPair) -> None:
    listen()
    with snapshot._snapshot._lock:
        # It would take the bound, which is an hour.
        assert snapshot.is_known_good([], now=timezone.now())


def test_without_a_source_of_notifications_the_bound_holds(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("too many connections")

    monkeypatch.setattr(notifications, "_own_connection", fail)
    snapshot.forget()
    for _ in range(3):
        snapshot._snapshot._notifications._try_at = -math.inf
        listen()
        sessions.authenticate(pair.raw_access)
    assert [record.getMessage() for record in caplog.records] == [
        "no notifications of denials for 60 seconds: too many connections"
    ]
    deny_elsewhere(str(pair.session.pk))
    listen()
    sessions.authenticate(pair.raw_access)
    wait_for_the_bound(settings)
    assert not snapshot.is_known_good([str(pair.session.pk)], now=timezone.now())


def test_a_source_that_is_lost_is_opened_again_and_what_it_missed_is_read(pair: TokenPair) -> None:
    held = snapshot._snapshot._notifications
    queries_of_a_request(pair)
    first: Any = held._source
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            pid = first._connection.connection.info.backend_pid
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    else:
        first._connection.connection.close()
    assert soon(lambda: hears() or held._source is None)
    assert queries_of_a_request(pair) == 0  # It pauses first.
    held._try_at = -math.inf
    assert queries_of_a_request(pair) == 1
    assert held._source is not first
    revoke_in_another_process(pair)
    assert soon(hears)


def test_a_fork_leaves_its_parents_source_alone(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries_of_a_request(pair)
    held = snapshot._snapshot._notifications
    parents: Any = held._source
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert hears()
    assert held._source is not parents
    assert parents._connection.is_usable()
    parents.close()


def test_another_database_sends_no_notifications(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot.forget()
    monkeypatch.setattr(connection, "vendor", "oracle")
    assert not hears()
    notifications.notify("default")


@postgresql_only
def test_a_notification_arrives_within_a_callers_transaction_too(pair: TokenPair) -> None:
    queries_of_a_request(pair)
    with transaction.atomic():
        revoke_in_another_process(pair)
        assert soon(hears)


@postgresql_only
def test_a_denial_that_is_rolled_back_notifies_no_process(pair: TokenPair) -> None:
    queries_of_a_request(pair)
    with transaction.atomic():
        deactivate(pair)
        transaction.set_rollback(True)
    assert not hears()
    end(pair)
    assert soon(hears)


@postgresql_only
def test_too_many_notifications_close_the_connection_for_a_while(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "MAX_NOTIFICATIONS", 3)
    queries_of_a_request(pair)
    for _ in range(4):
        notifications.notify("default")
    held = snapshot._snapshot._notifications
    assert soon(lambda: not hears() and held._source is None)
    held._try_at = -math.inf
    assert hears()


@postgresql_only
def test_its_connection_has_the_options_of_the_others(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=7s")
    snapshot.forget()
    assert hears()
    source: Any = snapshot._snapshot._notifications._source
    with source._connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("7s",)


@postgresql_only
def test_a_listening_connection_sends_a_statement_each_minute(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries_of_a_request(pair)
    source: Any = snapshot._snapshot._notifications._source
    with source._connection.cursor() as cursor:
        cursor.execute("SHOW idle_session_timeout")
        assert cursor.fetchone() == ("10min",)
    source._received, source._listen_at, before = 1000, time.monotonic(), source._connection
    assert hears()
    assert source._received == 0
    assert source._connection is before
    assert not hears()


@postgresql_only
def test_after_a_quiet_time_it_listens_anew_without_a_pause_or_a_line_in_the_log(
    pair: TokenPair, caplog: Any
) -> None:
    queries_of_a_request(pair)
    source: Any = snapshot._snapshot._notifications._source
    with connection.cursor() as cursor:
        pid = source._connection.connection.info.backend_pid
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    source._listen_at -= 10 * 60  # seconds without a statement on this connection
    assert hears()
    revoke_in_another_process(pair)
    assert soon(hears)
    assert "no notifications" not in caplog.text


@postgresql_only
def test_a_notification_that_fails_undoes_no_denial(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(notifications, "_NOTIFY_SQL", "SELECT no_such_function()")
    end(pair)
    assert "no process was notified of a denial" in caplog.text
    assert refusal(pair) is SessionEnded


def test_a_connection_that_is_lost_right_after_a_denial_undoes_nothing(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def lost(*args: Any) -> None:
        raise InterfaceError("connection already closed")

    gone = SimpleNamespace(vendor="postgresql", cursor=lost)
    monkeypatch.setattr(notifications, "connections", {"default": gone})
    end(pair)
    assert "no process was notified of a denial: connection already closed" in caplog.text


def test_a_site_hears_of_a_denial_by_another_process(user: Any) -> None:
    pair, other = sessions.start(user), sessions.start(user)
    with running_site(workers=1, DJANGO_SETTINGS_MODULE=MODULE, MAX_STALENESS="60") as site:
        assert site.get("/who/", pair.raw_access)[0] == 200
        revoke_in_another_process(pair)
        # It checks every three seconds. The bound alone would take a minute.
        assert soon(lambda: site.get("/who/", pair.raw_access)[0] == 401)
        assert site.get("/who/", other.raw_access)[0] == 200

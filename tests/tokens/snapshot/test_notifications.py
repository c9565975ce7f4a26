"""A notification from the database causes a reading before the bound; nothing depends on it."""

import math
import os
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from tests.support.processes import running_site
from tests.support.waiting import wait_until
from tokens import sessions, snapshot
from tokens.database.places import place_of
from tokens.denylist import listening, notifications
from tokens.errors import SessionEnded
from tokens.models import DeniedToken
from tokens.sessions import TokenPair
from tokens.snapshot import copy

from .denials import (
    MODULE,
    deny_elsewhere,
    end,
    is_good,
    refusal,
    revoke_in_another_process,
    wait_for_the_bound,
)
from .hearing import hears, listen, listens, postgresql_only

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("snapshot_mode"),
]

NEW_ROWS = 1  # query


def settle(pair: TokenPair) -> None:
    """Let the process take what it hears when it begins to listen."""
    if connection.vendor == "postgresql":
        listens()
    queries_of_a_request(pair)


def terminate_the_listener() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE query = 'LISTEN tokens_denied' AND datname = current_database()"
        )


def queries_of_a_request(pair: TokenPair) -> int:
    listen()
    with CaptureQueriesContext(connection) as captured:
        sessions.authenticate(pair.raw_access)
    return len(captured)


@pytest.mark.slow
def test_a_denial_in_another_process_is_seen_before_the_bound(pair: TokenPair) -> None:
    ids = sessions.authenticate(pair.raw_access).claims.ids
    revoke_in_another_process(pair)

    def refused() -> bool:
        listen()
        return not is_good(snapshot._copies.of(DeniedToken), *ids)

    wait_until(refused)
    assert refusal(pair) is SessionEnded


@pytest.mark.slow
def test_a_process_checks_for_notifications_twenty_times_per_bound(pair: TokenPair) -> None:
    revoke_in_another_process(pair)
    wait_until(hears)
    snapshot._copies.of(DeniedToken)._has_changes = True
    sessions.authenticate(pair.raw_access)  # not yet
    snapshot._copies.of(DeniedToken)._listen_at -= 3600 / 20
    assert refusal(pair) is SessionEnded


def test_without_a_notification_nothing_is_read(pair: TokenPair) -> None:
    settle(pair)
    assert queries_of_a_request(pair) == 0


def test_a_notification_is_kept_until_a_reading_is_possible(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(pair)
    monkeypatch.setattr(copy, "_sees_new_commits", lambda connection: False)
    snapshot._copies.of(DeniedToken)._has_changes = True
    assert queries_of_a_request(pair) == 0
    monkeypatch.undo()
    assert queries_of_a_request(pair) == NEW_ROWS
    assert queries_of_a_request(pair) == 0


def test_without_a_source_of_notifications_the_bound_holds(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("too many connections")

    monkeypatch.setattr(listening, "own_connection", fail)
    snapshot.forget()
    for _ in range(3):
        snapshot._copies.of(DeniedToken).notifications._try_at = -math.inf
        listen()
        sessions.authenticate(pair.raw_access)
    wait_until(lambda: caplog.records)  # On PostgreSQL, another thread connects.
    assert [record.getMessage() for record in caplog.records] == [
        "no notifications of denials for 60 seconds: too many connections"
    ]
    deny_elsewhere(str(pair.session.pk))
    listen()
    sessions.authenticate(pair.raw_access)
    wait_for_the_bound(settings)
    assert not is_good(snapshot._copies.of(DeniedToken), str(pair.session.pk))


@pytest.mark.slow
def test_a_source_that_is_lost_is_opened_again_and_what_it_missed_is_read(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "RETRY_AFTER", 0.5)
    snapshot.forget()
    queries_of_a_request(pair)
    wait_until(lambda: queries_of_a_request(pair) == 0)
    if connection.vendor == "postgresql":
        terminate_the_listener()
    else:
        source: Any = snapshot._copies.of(DeniedToken).notifications._source
        source._connection.connection.close()
        assert queries_of_a_request(pair) == 0  # It pauses first.
    revoke_in_another_process(pair)
    wait_until(hears)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_fork_leaves_its_parents_source_alone(pair: TokenPair) -> None:
    """The lock of the copy is held by a thread that the child does not have."""
    queries_of_a_request(pair)
    parents: Any = snapshot._copies.of(DeniedToken).notifications._source
    with snapshot._copies.of(DeniedToken)._lock:
        child = os.fork()
    if not child:
        connection.connection = None  # The parent's. Closing it would end it for the parent.
        own = snapshot._copies.of(DeniedToken)
        good = is_good(own) and own.notifications._source is not parents
        os._exit(0 if good else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    revoke_in_another_process(pair)
    wait_until(hears)
    assert snapshot._copies.of(DeniedToken).notifications._source is parents


def test_another_database_sends_no_notifications(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot.forget()
    monkeypatch.setattr(connection, "vendor", "oracle")
    assert not hears()
    notifications.notify(place_of(DeniedToken))


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


@pytest.mark.slow
def test_a_site_hears_of_a_denial_by_another_process(user: Any) -> None:
    pair, other = sessions.start(user), sessions.start(user)
    with running_site(workers=1, DJANGO_SETTINGS_MODULE=MODULE, MAX_STALENESS="60") as site:
        assert site.get("/who/", pair.raw_access)[0] == 200
        revoke_in_another_process(pair)
        # It checks every three seconds. The bound alone would take a minute.
        wait_until(lambda: site.get("/who/", pair.raw_access)[0] == 401)
        assert site.get("/who/", other.raw_access)[0] == 200

"""When connections are judged, and what does not keep others from it."""

from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connections
from django.db import connection as database

from tests.connections.stepped.world import World
from tokens import sessions
from tokens.connections import End
from tokens.connections.ends import TOKEN_EXPIRED, UNAVAILABLE
from tokens.connections.watcher import BATCH_SIZE, JUDGED_AGAIN_AT, PAUSE
from tokens.database.places import place_of
from tokens.jose import Claims
from tokens.models import Session


def test_a_connection_is_judged_soon_and_then_once_per_bound(world: World, claims: Claims) -> None:
    world.watch(claims)
    assert world.watcher.due_in() == 0.0
    assert world.check() == [claims]
    assert world.check(after=JUDGED_AGAIN_AT - 0.01) == []
    assert world.check(after=0.02) == [claims]


def test_the_holder_is_told_once_that_a_connection_ends(world: World, claims: Claims) -> None:
    connection, ends = world.watch(claims)
    connection.end(TOKEN_EXPIRED)
    connection.end(UNAVAILABLE)
    assert ends == [TOKEN_EXPIRED]


def test_connections_that_came_one_after_the_other_are_judged_together(
    world: World, claims: Claims, others: list[Claims]
) -> None:
    for each in [claims, *others]:
        world.watch(each)
        world.check(after=0.1)
    assert world.check(after=0.5) == [claims, *others]
    assert len(world.judged) == 1


def test_what_waits_for_its_turn_is_judged_a_batch_at_a_time(world: World, claims: Claims) -> None:
    for _ in range(BATCH_SIZE + 1):
        world.watch(claims)
    assert len(world.check()) == BATCH_SIZE
    assert world.watcher.due_in() == 0.0
    assert len(world.check()) == 1
    assert len(world.check(after=1.0)) == BATCH_SIZE


def test_a_missed_bound_is_logged_once_per_minute(
    world: World, claims: Claims, caplog: Any
) -> None:
    world.watch(claims)
    warnings = []
    for seconds in (1.0, 1.5, 1.5, 0.8, 59.0, 0.8):
        caplog.clear()
        world.check(after=seconds)
        warnings.append(caplog.text.count("open connections were judged 1.5 s ago"))
        warnings[-1] += caplog.text.count("open connections were judged 59.0 s ago")
    assert warnings == [0, 1, 0, 0, 1, 0]


def test_a_place_that_cannot_be_judged_keeps_no_other_waiting(
    world: World, claims: Claims, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(place: Any) -> bool:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(database, "close_if_unusable_or_obsolete", lambda: fail(None))
    elsewhere = place_of(Session)._replace(name="another database")
    world.registry.watch(claims, lambda end: None, elsewhere, None)
    monkeypatch.setattr(world.watcher._notifications, "has_changes", fail)
    connection, _ = world.watch(claims)
    for _ in range(3):
        world.check(after=PAUSE / 2 + 0.01)
    assert connection.accepted is not None
    assert caplog.text.count("the open connections cannot be checked") == 1
    first, _ = world.registry._watchers.values()
    assert first.due_in() == pytest.approx(PAUSE)


def test_a_holder_that_raises_is_logged_and_keeps_no_other_from_its_end(
    world: World, claims: Claims, caplog: Any
) -> None:
    def fail(end: End) -> None:
        raise ZeroDivisionError

    world.registry.watch(claims, fail, None, None)
    _, ends = world.watch(claims)
    sessions.end(Session.objects.filter(pk=claims.sid), reason=sessions.EndReason.LOGOUT)
    world.check()
    assert [end.code for end in ends] == ["session_ended"]
    assert "a connection could not be told that it ends" in caplog.text


def test_an_expired_token_ends_its_connection(world: World, claims: Claims) -> None:
    _, ends = world.watch(replace(claims, exp=claims.exp - 3600))
    world.check()
    assert [end.code for end in ends] == ["token_expired"]


def test_a_pooled_connection_goes_back_to_its_pool(
    world: World, claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []
    monkeypatch.setattr(connections[database.alias], "close", lambda: closed.append(True))
    world.watch(claims)
    monkeypatch.setitem(database.settings_dict["OPTIONS"], "pool", False)
    world.check()
    monkeypatch.setitem(database.settings_dict["OPTIONS"], "pool", {"max_size": 2})
    world.check()
    assert not closed  # It is in a transaction.
    wrapper = connections[database.alias]
    with mock.patch.object(wrapper, "in_atomic_block", False):
        world.check()
    assert closed

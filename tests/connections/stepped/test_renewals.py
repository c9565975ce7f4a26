"""Connections that are renewed or closed while they are judged, and forks."""

from dataclasses import replace
from threading import Thread
from typing import Any

import pytest

from tests.connections.held import PATIENCE
from tests.connections.stepped.world import World
from tokens.connections import registry
from tokens.jose import Claims


def test_a_connection_that_is_renewed_while_it_is_judged_is_judged_again(
    world: World, claims: Claims
) -> None:
    newer = replace(claims, exp=claims.exp + 60)
    connection, ends = world.watch(claims)
    judge_all = world._judge_all

    def renew(many: Any, **options: Any) -> Any:
        world._judge_all = judge_all
        outcomes = judge_all(many, **options)
        connection.renew(newer)
        return outcomes

    world._judge_all = renew
    assert world.check() == [claims]
    assert connection.accepted is None
    assert world.check() == [newer]
    assert connection.accepted is not None
    assert ends == []


def test_a_connection_that_is_closed_while_it_is_judged_is_not_watched_again(
    world: World, claims: Claims
) -> None:
    connection, _ = world.watch(claims)
    judge_all = world._judge_all

    def close(many: Any, **options: Any) -> Any:
        connection.close()
        return judge_all(many, **options)

    world._judge_all = close
    world.check()
    assert len(world.watcher) == 0


def test_a_renewed_connection_is_judged_at_once(world: World, claims: Claims) -> None:
    connection, _ = world.watch(claims)
    world.check()
    newer = replace(claims, exp=claims.exp + 60)
    connection.renew(newer)
    assert world.watcher.due_in() == 0.0
    assert world.check() == [newer]


def test_a_connection_of_the_parent_process_is_none_of_the_childs(
    world: World, claims: Claims
) -> None:
    parents, ends = world.watch(claims)
    parents_watcher = world.watcher
    world.registry._begin()  # As after a fork.
    world.watch(claims)

    def use() -> None:
        parents.renew(claims)
        parents.close()

    user = Thread(target=use, daemon=True)
    with parents_watcher._lock:  # By a thread that the child does not have.
        user.start()
        user.join(PATIENCE)
        assert not user.is_alive()
    assert len(world.watcher) == 1
    assert world.check() == [claims]
    assert ends == []


def test_a_fork_does_not_wait_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "FORK_WAITS", 0.01)
    with world.registry._working:
        world.registry._before_fork()
        world.registry._after_fork()
        assert world.registry._working.locked()
    world.registry._before_fork()
    assert world.registry._working.locked()
    world.registry._after_fork()
    assert not world.registry._working.locked()


def test_an_ended_connection_is_not_renewed(world: World, claims: Claims) -> None:
    connection, _ = world.watch(claims)
    connection.close()
    connection.renew(replace(claims, exp=claims.exp + 60))
    assert connection.claims is claims
    assert world.registry._by_second == {}

"""Denials, of this process and of others, let the connections be judged that they concern."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from tests.connections.stepped.world import World
from tokens import clock, denylist, sessions
from tokens.connections.watcher import BATCH_SIZE, CUT_OFFS_OF
from tokens.database.places import place_of
from tokens.jose import Claims
from tokens.models import Session


def test_what_is_denied_is_judged_before_all_others(
    world: World, claims: Claims, others: list[Claims]
) -> None:
    world.watch(claims)
    _, ends = world.watch(others[0])
    world.check()
    for _ in range(BATCH_SIZE):
        world.watch(claims)
    sessions.revoke_token(others[0].jti, Session.objects.get(pk=others[0].sid))
    world.watcher.take_denials([(others[0].jti, None)])
    assert world.check()[0] == others[0]
    assert [end.code for end in ends] == ["token_denied"]


def test_a_new_connection_that_a_denial_concerns_is_judged_once(
    world: World, claims: Claims
) -> None:
    world.watch(claims)
    world.watcher.take_denials([(claims.jti, None)])
    assert world.check() == [claims]


@pytest.mark.parametrize(
    "value",
    [
        lambda claims: claims.jti,
        lambda claims: str(claims.sid),
        lambda claims: claims.sid.hex + "<17",
        lambda claims: claims.kid,
        lambda claims: claims.sub,
        lambda claims: denylist.cut_off_values(claims.sub)[0],
        lambda claims: denylist.cut_off_values(claims.sub)[1],
    ],
)
def test_each_kind_of_denial_finds_the_connections_that_it_concerns(
    world: World, claims: Claims, value: Any
) -> None:
    world.watch(claims)
    world.check()
    world.watcher.take_denials([(value(claims), None)])
    assert world.check() == [claims]


def test_a_denial_of_something_else_lets_nothing_be_judged(
    world: World, claims: Claims, others: list[Claims]
) -> None:
    world.watch(claims)
    world.check()
    other = others[0]
    values = [other.jti, str(other.sid), "another kid", denylist.cut_off_values("another")[1]]
    world.watcher.take_denials([(value, None) for value in values])
    assert world.check() == []


def test_a_denial_of_another_process_is_looked_at_once(
    world: World, claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.watch(claims)
    world.check()
    monkeypatch.setattr(world.watcher._notifications, "has_changes", lambda place: True)
    until = clock.now() + timedelta(hours=1)
    ask_about = partial(
        denylist.ask_about, claims.sid.hex, user_id=None, reason="x", until=until, now=clock.now()
    )
    world.check()
    ask_about(version=1)
    assert world.check() == [claims]
    assert world.check() == []
    ask_about(version=2)
    assert world.check() == [claims]


def test_a_restored_denylist_is_read_anew(
    world: World, claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.watch(claims)
    world.check()
    monkeypatch.setattr(world.watcher._notifications, "has_changes", lambda place: True)
    world.watcher._mark = 10_000
    assert world.check() == []
    assert world.watcher._mark is None
    now = clock.now()
    denylist.cut_off(now, reason="x", until=now + CUT_OFFS_OF, now=now)
    assert world.check() == [claims]


def test_a_denial_concerns_the_place_where_it_was_made(world: World, claims: Claims) -> None:
    elsewhere = place_of(Session)._replace(name="another database")
    world.watch(claims)
    world.registry.watch(claims, lambda end: None, elsewhere, None)
    world.check()
    world.registry.take_denials([(claims.jti, None)])
    here, there = world.registry._watchers.values()
    assert here._denied
    assert not there._denied

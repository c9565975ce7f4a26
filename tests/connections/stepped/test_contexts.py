"""What a project decides is decided in the context in which the connection was opened."""

from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from tests.connections.held import claims_of
from tests.connections.stepped.world import World
from tests.support.hiding import hide_users
from tokens import sessions
from tokens.jose import Claims

tenant: ContextVar[str] = ContextVar("tenant", default="none")


def raise_for_ada(user: Any) -> bool:
    if user.username == "ada":
        raise ZeroDivisionError
    return True


def test_a_rule_that_raises_ends_the_connections_of_its_user_and_no_other(
    world: World, claims: Claims, settings: Any, caplog: Any, django_user_model: Any
) -> None:
    settings.TOKENS_USER_RULE = f"{__name__}.raise_for_ada"
    grace = django_user_model.objects.create_user("grace", "grace@example.org", "x")
    _, ends = world.watch(claims)
    other, none = world.watch(claims_of(sessions.start(grace)))
    world.check()
    assert [end.code for end in ends] == ["unavailable"]
    assert none == []
    assert other.accepted is not None
    assert f"a connection of session {claims.sid} cannot be judged" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_only_a_project_that_reads_the_context_keeps_it(
    world: World, claims: Claims, settings: Any
) -> None:
    assert world.watch(claims)[0].context is None
    assert world.registry.watch(claims, lambda end: None, None, copy_context()).context is None
    settings.TOKENS_USER_RULE = "builtins.bool"
    assert world.watch(claims)[0].context is not None
    mine = copy_context()
    assert world.registry.watch(claims, lambda end: None, None, mine).context is mine


def ours(user: Any) -> bool:
    return tenant.get() == "ours"


def test_each_connection_is_judged_in_the_context_in_which_it_was_opened(
    world: World, claims: Claims, others: list[Claims], settings: Any
) -> None:
    settings.TOKENS_USER_RULE = f"{__name__}.ours"
    ends = {}
    for name, each in zip(["ours", "theirs", "ours"], [claims, *others], strict=True):
        token = tenant.set(name)
        ends[each.sid] = world.watch(each)[1]
        tenant.reset(token)
    for _ in range(2):
        world.check(after=1.0)
    assert [len(ends[each.sid]) for each in [claims, *others]] == [0, 1, 0]


def test_a_hidden_user_ends_the_connection(
    world: World, claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ends = world.watch(claims)
    world.check()
    hide_users(monkeypatch, username="ada")
    world.check(after=1.0)
    assert [end.code for end in ends] == ["user_refused"]

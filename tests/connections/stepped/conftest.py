"""A world, and claims of sessions in it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.connections.held import claims_of
from tests.connections.stepped.world import World
from tokens import sessions
from tokens.jose import Claims


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(monkeypatch)
    yield world
    world.registry.forget()


@pytest.fixture
def claims(user: Any) -> Claims:
    return claims_of(sessions.start(user))


@pytest.fixture
def others(user: Any) -> list[Claims]:
    return [claims_of(sessions.start(user)) for _ in range(2)]

"""A registry with threads, which see what the tests commit."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.connections.memory import held, wait_until_none_is_held
from tokens import sessions
from tokens.connections import registry as module
from tokens.connections.registry import Registry
from tokens.sessions import TokenPair


@pytest.fixture
def registry(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Let the registry of this process have threads, as outside of tests."""
    monkeypatch.setattr(module.registry, "has_thread", True)
    yield module.registry
    module.forget()


@pytest.fixture
def pair(registry: Registry, user: Any) -> TokenPair:
    return sessions.start(user)


@pytest.fixture
def nothing_is_left(registry: Registry, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Assert at the end that nothing holds a connection, and that asyncio has logged no complaint."""
    before = held()
    yield
    logged = caplog.get_records("call")
    assert [each.getMessage() for each in logged if each.name == "asyncio"] == []
    logged.clear()  # An error in a record holds the frames that raised it.
    wait_until_none_is_held(but=before)

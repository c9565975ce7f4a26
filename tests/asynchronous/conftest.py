"""Fixtures of the tests of async code."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from tests.asynchronous.hops import Hops
from tokens import sessions, snapshot
from tokens.database import background
from tokens.sessions import TokenPair
from tokens.snapshot import reader


def run(coroutine: Any) -> Any:
    """Run it as a sync caller does: threads that it needs are the caller's own."""

    async def awaited() -> Any:
        return await coroutine

    return async_to_sync(awaited)()


def forged(raw_token: str) -> str:
    head, _, signature = raw_token.rpartition(".")
    return f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> Hops:
    """Count what an event loop hands to threads."""
    return Hops(monkeypatch)


@pytest.fixture
def pair(transactional_db: None, user: Any) -> TokenPair:
    pair = sessions.start(user)
    sessions.authenticate(pair.raw_access)
    return pair


@pytest.fixture
def snapshot_mode(settings: Any) -> Iterator[None]:
    """Switch to snapshot mode with a bound of one hour. Only ``reader.flush`` reads for async code."""
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    settings.TOKENS_DENYLIST_MAX_STALENESS = timedelta(hours=1)
    # The tests' own shortcut does not accept on an event loop, whose thread has no test transaction.
    former = sessions.set_shortcut(snapshot.accepts)
    with background.without_threads():
        yield
    sessions.set_shortcut(former)
    reader.flush()

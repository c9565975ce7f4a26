"""Fixtures of the tests of async code."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.asynchronous.hops import Hops
from tokens import sessions, snapshot
from tokens.database import background
from tokens.sessions import TokenPair
from tokens.snapshot import reader


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

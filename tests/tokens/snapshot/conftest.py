from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tokens import clock as real_clock
from tokens import sessions
from tokens.sessions import TokenPair
from tokens.snapshot.copy import Copy

from .denials import clock


@pytest.fixture
def snapshot_mode(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch to snapshot mode, with a bound of one hour and a clock that a test can move."""
    monkeypatch.setattr(real_clock, "elapsed", clock.elapsed)
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    settings.TOKENS_DENYLIST_MAX_STALENESS = timedelta(hours=1)


@pytest.fixture
def pair(transactional_db: None, snapshot_mode: None, user: Any) -> TokenPair:
    pair = sessions.start(user)
    sessions.authenticate(pair.raw_access)  # The first request reads the snapshot.
    return pair


@pytest.fixture
def another() -> Iterator[Copy]:
    """Return a copy such as another process has."""
    another = Copy()
    yield another
    another.forget()

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tokens import sessions
from tokens.denylist.snapshot import Snapshot
from tokens.sessions import TokenPair


@pytest.fixture
def snapshot_mode(settings: Any) -> None:
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    settings.TOKENS_DENYLIST_MAX_STALENESS = timedelta(hours=1)


@pytest.fixture
def pair(transactional_db: None, snapshot_mode: None, user: Any) -> TokenPair:
    pair = sessions.start(user)
    sessions.authenticate(pair.raw_access)  # the first one reads
    return pair


@pytest.fixture
def another() -> Iterator[Snapshot]:
    """Lend the copy that another process would have."""
    another = Snapshot()
    yield another
    another.forget()

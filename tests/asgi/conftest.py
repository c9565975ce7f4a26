"""Fixtures of the tests of ``tokens.asgi``."""

from typing import Any

import pytest
from django.db import OperationalError

from tests.asynchronous.conftest import hops, snapshot_mode
from tokens import sessions
from tokens.asgi import renewing
from tokens.sessions import TokenPair

__all__ = ["hops", "snapshot_mode"]


@pytest.fixture
def pair(transactional_db: None, user: Any) -> TokenPair:
    return sessions.start(user)


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a client show several tokens without waiting in between."""
    monkeypatch.setattr(renewing, "RENEWED_EVERY", 0.0)


@pytest.fixture
def database_away(pair: TokenPair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the database not answer when a token is judged."""

    async def away(raw_access: Any, **options: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(sessions, "aauthenticate", away)

"""Fixtures of the tests of sessions."""

from typing import Any

import pytest

from tests.tokens.sessions.batched import sessions_of
from tests.tokens.sessions.refreshes import HOME, NOW
from tokens import sessions
from tokens.jose import Claims
from tokens.sessions import TokenPair


@pytest.fixture
def pair(user: Any) -> TokenPair:
    return sessions.start(user, client=HOME, now=NOW)


@pytest.fixture
def tokens(db: None) -> list[Claims]:
    return sessions_of("lin", "mae", "nia")

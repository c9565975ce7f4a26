from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tokens import sessions
from tokens.sessions import TokenPair

Ticket = Callable[..., str]


@pytest.fixture
def pair(user: Any) -> TokenPair:
    return sessions.start(user)


@pytest.fixture
def ticket(pair: TokenPair) -> Ticket:
    """Return a function that asks for a ticket as ``user``."""

    def ask(path: str = "/report/", **body: Any) -> str:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
        answer = client.post("/api/token/ticket/", {"path": path, **body})
        assert answer.status_code == 200, answer.content
        assert answer["Cache-Control"] == "no-store"
        assert answer.json()["expires_in"] == 30
        return str(answer.json()["ticket"])

    return ask

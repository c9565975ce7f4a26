"""Let ``sessions.refresh`` and its like be the async verbs, each called from a sync test."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync

from tests.tokens.sessions.conftest import pair
from tokens import sessions

__all__ = ["pair"]

VERBS = [name for name in sessions.__all__ if f"a{name}" in sessions.__all__]


@pytest.fixture(autouse=True)
def _async_verbs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VERBS:
        if name != "read_claims":  # It is called by sessions itself.
            averb: Any = getattr(sessions, f"a{name}")
            monkeypatch.setattr(sessions, name, async_to_sync(averb))

import time

import pytest


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no other process: there is none."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)

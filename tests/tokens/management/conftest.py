import time

import pytest


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the pause in which other processes notice a rotation, because there are none."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)

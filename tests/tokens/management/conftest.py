import pytest

from tokens.management.commands import rotate_secret


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no other process: there is none."""
    monkeypatch.setattr(rotate_secret.time, "sleep", lambda seconds: None)

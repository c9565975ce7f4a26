from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient

from tokens import keyring
from tokens.sessions import seen, verified

# Packages that can be deleted.
OPTIONAL = [name for name in ("tokens.snapshot",) if find_spec(name)]

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen is written by ``seen.flush()``: a thread would not see a test's transaction."""
    monkeypatch.setattr(seen._notes, "_start_thread", lambda: None)


@pytest.fixture(autouse=True)
def _fresh_process() -> Any:
    """Start each test like a new process: with empty memory of keys, tokens and denials."""
    forget_everything()
    yield
    forget_everything()


def forget_everything() -> None:
    """Empty what this process remembers of keys, tokens and denials."""
    for remembers in (keyring, seen, verified, *map(import_module, OPTIONAL)):
        remembers.forget()


@pytest.fixture
def user(db: None) -> Any:
    return get_user_model().objects.create_user("ada", "ada@example.org", PASSWORD)


@pytest.fixture
def api() -> APIClient:
    return APIClient()


@pytest.fixture
def signed_in(api: APIClient, user: Any) -> dict[str, Any]:
    """Return the body of the answer to a sign-in of ``user``."""
    answer = api.post("/api/token/", {"username": "ada", "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())

"""
pytest's fixtures. Load them in the conftest.py of your root directory:

    pytest_plugins = ["tokens.testing.fixtures"]

Nothing of Django is imported before a fixture is used.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .client import TokenClient
    from .frozen import FrozenClock


@pytest.fixture(autouse=True)
def tokens_process() -> Iterator[None]:
    """Begin each test like a new process: with empty memory of keys, tokens and denials."""
    from .process import fresh_process

    with fresh_process():
        yield


@pytest.fixture
def token_client() -> "TokenClient":
    """Return a TokenClient that is not signed in."""
    from .client import TokenClient

    return TokenClient()


@pytest.fixture
def sign_in() -> "Callable[..., TokenClient]":
    """Return a function that signs a user in, and returns a client of their own."""
    from .client import TokenClient

    def sign_in(user: Any, **how: Any) -> "TokenClient":
        client = TokenClient()
        client.sign_in(user, **how)
        return client

    return sign_in


@pytest.fixture
def frozen_clock(tokens_process: None) -> "Iterator[FrozenClock]":
    """Freeze the app's clock at the current instant, and return the clock, which can be moved."""
    from .frozen import freeze

    with freeze() as clock:
        yield clock

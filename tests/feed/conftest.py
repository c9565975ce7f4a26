from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.feed.lists import Client
from tests.feed.reader import Reader
from tokens import keyring
from tokens.feed import publication, push, readers
from tokens.feed.listing import Listing
from tokens.feed.push import Hub, hub
from tokens.models import SigningKey
from tokens.testing import FrozenClock

ADDRESS = "/api/denials/"


@pytest.fixture(autouse=True)
def _new_process(tokens_process: None) -> Iterator[None]:
    """Begin each test like a new process: without a list, documents and keys of readers."""
    publication.publications.forget()
    readers.forget()
    yield
    hub.join()
    publication.publications.forget()
    readers.forget()


@pytest.fixture
def served(db: None, settings: Any) -> None:
    """Serve the feed to everybody, signed with ES256."""
    settings.ROOT_URLCONF = "tests.feed.urls"
    settings.TOKENS_FEED_READERS = "everybody"
    use_key("ES256", settings)


def use_key(algorithm: str, settings: Any) -> None:
    SigningKey.objects.all().delete()
    settings.TOKENS_ALGORITHM = algorithm
    keyring.forget()
    keyring.ensure()


@pytest.fixture
def reader(served: None) -> Reader:
    return Reader(keyring.jwks())


@pytest.fixture
def poll(reader: Reader, api: APIClient, frozen_clock: FrozenClock) -> Callable[[], dict[str, Any]]:
    """Return a function that lets the reader poll, a second after it did so before."""

    def poll() -> dict[str, Any]:
        frozen_clock.shift(timedelta(seconds=1))
        answer = api.get(ADDRESS, {"after": reader.cursor} if reader.cursor else {})
        assert answer.status_code == 200, answer.content
        return reader.apply(answer.content.decode())

    return poll


@pytest.fixture
def frozen_clock(frozen_clock: FrozenClock) -> FrozenClock:
    """Freeze the time that passes as well: only ``shift`` lets something get older."""
    frozen_clock._elapsed = lambda: 1000.0
    return frozen_clock


@pytest.fixture
def listing() -> Listing:
    """Return the list of a process that has not read yet."""
    return Listing()


@pytest.fixture
def client() -> Client:
    """Return a client of lists, not Django's client."""
    return Client()


@pytest.fixture
def own_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Return a hub that may be ended without ending that of this process."""
    hub = Hub()
    monkeypatch.setattr(push, "hub", hub)
    yield hub
    hub.join()

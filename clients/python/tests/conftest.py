import json
from collections.abc import Iterator

import pytest
from latchkey_verify import Verifier

from .authority import AUDIENCE, ISSUER, Authority, serving


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def address(authority: Authority) -> Iterator[str]:
    with serving(authority) as address:
        yield address


@pytest.fixture
def verifier(address: str) -> Iterator[Verifier]:
    verifier = Verifier(address, issuer=ISSUER, audience=AUDIENCE, interval=0.02)
    yield verifier
    verifier.close()


class Clock:
    """A wall clock, which can be set, and a monotonic clock, which cannot."""

    def __init__(self) -> None:
        self.now = 1_764_460_000.0
        self.ticked = 500.0

    def pass_(self, seconds: float) -> None:
        self.now += seconds
        self.ticked += seconds


class Reader:
    """A verifier without a network: documents are handed to it."""

    def __init__(self, authority: Authority, clock: Clock) -> None:
        self.authority = authority
        authority.now = lambda: clock.now
        self.keys_read = 0
        self.verifier = Verifier(
            "https://nowhere.invalid", issuer=ISSUER, audience=AUDIENCE,
            clock=lambda: clock.now, ticks=lambda: clock.ticked,
        )  # fmt: skip
        self.verifier.start = lambda: None  # type: ignore[method-assign]
        self.verifier._web.get = self._get  # type: ignore[method-assign]

    def _get(self, url: str, headers: object) -> str:
        self.keys_read += 1
        return json.dumps({"keys": self.authority.published})

    def accept(self, document: str) -> None:
        self.verifier._accept(document)

    def verify(self, token: str) -> object:
        return self.verifier.verify(token)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reader(authority: Authority, clock: Clock) -> Reader:
    return Reader(authority, clock)

"""Promise 11: junk from an address keeps nobody behind it from refreshing, revoking or signing out."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from tests.faults.conftest import eventually
from tests.support.processes import RunningSite, Site, running_site
from tokens import sessions
from tokens.sessions import TokenPair

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

PER_SECOND = 100  # requests with junk
TIMES = 100  # requests with good tokens, of each kind
PATIENCE = 1.0  # seconds for one of them

# The member of the body that holds the token, and the status of the answer to a good one.
DOORS = {
    "/api/token/refresh/": ("refresh", 200),
    "/api/token/revoke/": ("token", 200),
    "/api/logout/": ("refresh", 204),
    "/api/logout/all/": ("refresh", 204),
}


@pytest.fixture
def site(db: None) -> Iterator[RunningSite]:
    settings = {"DJANGO_SETTINGS_MODULE": "tests.faults.tight_limits"}
    # Without a cache server, so that no other test's site counts the same address.
    with running_site(workers=2, CACHE_URL="", **settings) as site:
        yield site


class Flood:
    """Requests with junk to each door in turn, from this test's own address."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._numbers = count()
        self._began = time.monotonic()
        self._over = threading.Event()
        self.answers: Counter[tuple[str, int]] = Counter()

    @contextmanager
    def running(self) -> Iterator[None]:
        with ThreadPoolExecutor(4) as pool:
            senders = [pool.submit(self._send) for _ in range(4)]
            try:
                yield
            finally:
                self._over.set()
        for sender in senders:
            sender.result()

    def _send(self) -> None:
        while not self._over.is_set():
            number = next(self._numbers)
            # At its own time, so that a slow answer does not make the flood any thinner.
            time.sleep(max(0.0, self._began + number / PER_SECOND - time.monotonic()))
            path = list(DOORS)[number % len(DOORS)]
            status = self._site.ask(path, body={DOORS[path][0]: f"junk.{number}.x"}).status
            self.answers[path, status] += 1

    def is_over_every_limit(self) -> bool:
        # Each worker has its own counts.
        return all(self.answers[path, 429] >= 30 for path in DOORS)

    def rate(self) -> float:
        return sum(self.answers.values()) / (time.monotonic() - self._began)


def test_good_tokens_are_answered_at_once_during_a_flood_of_junk(site: RunningSite) -> None:
    user = get_user_model().objects.create_user("ada")
    flood = Flood(site)
    slowest = dict.fromkeys(DOORS, 0.0)
    with flood.running():
        eventually(flood.is_over_every_limit, seconds=60)
        for _ in range(TIMES):
            for path, (_, status) in DOORS.items():
                began = time.monotonic()
                assert ask(site, path, sessions.start(user)) == status
                slowest[path] = max(slowest[path], time.monotonic() - began)
        rate = flood.rate()
    print(f"{rate:.0f} requests with junk per second; the slowest good ones, in seconds: {slowest}")  # noqa: T201
    assert {status for _, status in flood.answers} <= {200, 401, 429}
    assert max(slowest.values()) < PATIENCE


def ask(site: Site, path: str, pair: TokenPair) -> Any:
    return site.ask(path, body={DOORS[path][0]: pair.raw_refresh}).status

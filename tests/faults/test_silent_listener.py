"""
The connection that waits for notifications goes silent, and something in between acknowledges.

So a read never ends, not even with an error. No request may wait for it, and the bound holds.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

import pytest

from tests.faults.conftest import PASSWORD, create_people, eventually, set_up
from tests.support.crowds import (
    SNAPSHOT_SETTINGS,
    Member,
    gather,
    let_in,
    revoke_elsewhere,
    wait_for_the_bound,
)
from tests.support.processes import RunningSite, running_site
from tests.support.proxies import Proxy, own_proxy
from tests.support.servers import Postgres, own_postgres, url_of

pytestmark = pytest.mark.services

NAMES = [f"person-{number}" for number in range(2)]
CLIENTS = 3  # One thread of the worker is left for the test's own requests.
# Seconds that no request may take: less than a bound, which is how long requests wait that wait for
# another. A request takes some milliseconds, and a busy machine adds many of them.
LONGEST = 0.9
# Seconds. A p99 below this is accepted, however short the one before was.
UNNOTICED = 0.1
# Seconds of silence. A process that talks on this connection does so once a minute.
SILENCE = 65


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with own_postgres() as server:
        set_up(server.url)
        create_people(server.url, NAMES)
        yield server


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[Proxy]:
    with own_proxy(postgres.port) as proxy:
        yield proxy


@pytest.fixture
def site(proxy: Proxy) -> Iterator[RunningSite]:
    settings = {
        "DATABASE_URL": url_of(proxy.port),
        "DJANGO_SETTINGS_MODULE": SNAPSHOT_SETTINGS,
        "ACCESS_TOKEN_LIFETIME": "600",
    }
    with running_site(workers=1, **settings) as site:
        try:
            yield site
        finally:
            # A thread that still waits on a silent connection gets an error, so that the site can stop.
            proxy.cut()


@dataclass
class Traffic:
    """Requests of several clients, one after the other each, and how long the answers took."""

    site: RunningSite
    member: Member
    seconds: list[float] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)

    def flows(self, stop: Event) -> None:
        while not stop.wait(0.01):
            began = time.monotonic()
            self.statuses.add(self.site.ask("/who/", raw_access=self.member.access).status)
            self.seconds.append(time.monotonic() - began)


def measure(site: RunningSite, member: Member, meanwhile: Callable[[], None]) -> Traffic:
    """Return the traffic while ``meanwhile`` runs. A request that hangs fails the test."""
    traffic, stop = Traffic(site, member), Event()
    pool = ThreadPoolExecutor(CLIENTS)
    clients: list[Future[None]] = [pool.submit(traffic.flows, stop) for _ in range(CLIENTS)]
    try:
        meanwhile()
    finally:
        stop.set()
        pool.shutdown(wait=False)
    eventually(lambda: all(client.done() for client in clients), seconds=10)
    for client in clients:
        client.result()
    return traffic


def percentile(seconds: list[float]) -> float:
    """Return the 99th percentile."""
    return sorted(seconds)[len(seconds) * 99 // 100]


def assert_not_slowed(before: Traffic, during: Traffic) -> None:
    assert before.statuses == during.statuses == {200}
    assert max(during.seconds) < LONGEST
    assert percentile(during.seconds) < max(2 * percentile(before.seconds), UNNOTICED)


def test_no_request_waits_when_the_connection_falls_silent_at_its_first_word(
    postgres: Postgres, proxy: Proxy, site: RunningSite
) -> None:
    crowd = gather(site, NAMES, PASSWORD, count=20)
    proxy.swallows_listen = True
    measure(site, crowd[0], lambda: time.sleep(3))  # Whatever there is to open is opened.
    traffic = measure(site, crowd[0], lambda: time.sleep(5))
    assert traffic.statuses == {200}
    assert max(traffic.seconds) < LONGEST
    revoke_elsewhere(postgres.url, crowd[1:])
    wait_for_the_bound()
    assert let_in(site, crowd[1:]) == 0


def test_no_request_waits_when_a_connection_that_listens_falls_silent(
    postgres: Postgres, proxy: Proxy, site: RunningSite
) -> None:
    crowd = gather(site, NAMES, PASSWORD, count=20)
    measure(site, crowd[0], lambda: eventually(lambda: proxy.listeners() > 0))
    before = measure(site, crowd[0], lambda: time.sleep(5))
    proxy.silence_listeners()
    during = measure(site, crowd[0], lambda: time.sleep(SILENCE))
    assert_not_slowed(before, during)
    revoke_elsewhere(postgres.url, crowd[1:])
    wait_for_the_bound()
    assert let_in(site, crowd[1:]) == 0

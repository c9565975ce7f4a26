"""
A standby that lacks the last denials takes over: what is revoked afterwards is refused in time.

It hands out primary keys again that the lost rows had, so no process may trust how far it has read.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.faults.conftest import PASSWORD, create_people, eventually, set_up
from tests.support.crowds import (
    SNAPSHOT_SETTINGS,
    all_accepted,
    gather,
    let_in,
    revoke_elsewhere,
    revoke_here,
    wait_for_the_bound,
)
from tests.support.processes import running_site
from tests.support.proxies import Proxy, own_proxy
from tests.support.revoker import own_revoker
from tests.support.servers import Postgres, Standby, own_postgres, own_standby, url_of

pytestmark = pytest.mark.services

NAMES = [f"person-{number}" for number in range(6)]


@dataclass
class Cluster:
    """A primary and its standby. The site knows them by one address."""

    primary: Postgres
    standby: Standby
    replication: Proxy
    address: Proxy

    @property
    def url(self) -> str:
        return url_of(self.address.port)

    def deny_strangers(self, count: int) -> None:
        if count:
            with own_revoker(self.url) as revoker:
                revoker.deny_strangers(count)

    def lose_what_follows(self) -> None:
        """From here on the standby gets nothing; what it has got until now it has."""
        written = self.primary.wal_position()
        eventually(lambda: self.standby.has(written))
        self.replication.cut()
        eventually(lambda: not self.standby.follows())

    def fail_over(self) -> None:
        self.primary.crash()
        self.standby.promote()
        self.address.target = self.standby.port


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with ExitStack() as stack:
        primary = stack.enter_context(own_postgres())
        set_up(primary.url)
        create_people(primary.url, NAMES)
        replication = stack.enter_context(own_proxy(primary.port))
        standby = stack.enter_context(own_standby(replication.port))
        address = stack.enter_context(own_proxy(primary.port))
        yield Cluster(primary, standby, replication, address)


@pytest.mark.parametrize("strangers", [0, 600])
def test_after_a_failover_that_lost_denials_later_ones_are_refused(
    cluster: Cluster, strangers: int
) -> None:
    """With many denials no process reads them all each time."""
    with running_site(
        workers=2, DATABASE_URL=cluster.url, DJANGO_SETTINGS_MODULE=SNAPSHOT_SETTINGS
    ) as site:
        crowd = gather(site, NAMES, PASSWORD, count=280)
        kept, lost, later, good = crowd[:10], crowd[10:70], crowd[70:270], crowd[270:]
        revoke_here(site, kept)
        cluster.deny_strangers(strangers)
        cluster.lose_what_follows()
        revoke_here(site, lost)
        cluster.deny_strangers(strangers)
        wait_for_the_bound()
        assert let_in(site, kept + lost) == 0

        cluster.fail_over()
        # The database is the truth, and it does not know that these sessions have ended.
        eventually(lambda: all_accepted(site, lost + good))
        # At first fewer than were lost, then more.
        for members in (later[:20], later[20:]):
            revoke_elsewhere(cluster.url, members)
            wait_for_the_bound()
            assert let_in(site, members) == 0
        assert let_in(site, kept + later) == 0
        assert all_accepted(site, good)

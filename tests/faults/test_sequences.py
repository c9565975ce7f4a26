"""With a sequence that hands out keys in blocks, a denial with a low key may come late."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from tests.faults.conftest import PASSWORD, set_up
from tests.support.crowds import (
    SNAPSHOT_SETTINGS,
    all_accepted,
    gather,
    let_in,
    wait_for_the_bound,
)
from tests.support.processes import RunningSite, running_site
from tests.support.revoker import Revoker, own_revoker
from tests.support.servers import Postgres, own_postgres

pytestmark = pytest.mark.services

# So many denials that no process reads them all each time.
MANY = 1200
# Each connection takes 50 keys at once and gives them to its own rows.
CACHE = """
    SELECT format('ALTER SEQUENCE %s CACHE 50', pg_get_serial_sequence('tokens_deniedtoken', 'id'))
"""


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with own_postgres() as server:
        set_up(server.url)
        with psycopg.connect(server.url) as connection:
            row = connection.execute(CACHE).fetchone()
            assert row is not None
            connection.execute(str(row[0]).encode())
        yield server


@pytest.fixture
def site(postgres: Postgres) -> Iterator[RunningSite]:
    settings = {"DATABASE_URL": postgres.url, "DJANGO_SETTINGS_MODULE": SNAPSHOT_SETTINGS}
    with running_site(workers=2, **settings) as site:
        yield site


def test_denials_are_seen_in_any_order_of_their_keys(postgres: Postgres, site: RunningSite) -> None:
    with ExitStack() as stack:
        revokers: list[Revoker] = [stack.enter_context(own_revoker(postgres.url)) for _ in range(3)]
        crowd = gather(site, ["ada"], PASSWORD, count=65)
        good, doomed = crowd[60:], crowd[:60]
        for revoker in revokers * 2:
            revoker.deny_strangers(MANY // 6)
        for turn in range(6):
            members = doomed[turn * 10 : turn * 10 + 10]
            assert all_accepted(site, members)
            # 2, 1, 0, 2, 1, 0: each has a block of its own from its first turn on.
            revokers[2 - turn % 3].end(members)
            wait_for_the_bound()
            assert let_in(site, members) == 0
        assert let_in(site, doomed) == 0
        assert all_accepted(site, good)


@pytest.mark.parametrize("many", [False, True])
def test_a_denial_whose_key_is_below_one_of_an_hour_ago_is_seen(
    postgres: Postgres, site: RunningSite, many: bool
) -> None:
    crowd = gather(site, ["ada"], PASSWORD, count=30)
    good, doomed = crowd[20:], crowd[:20]
    with own_revoker(postgres.url) as idle, own_revoker(postgres.url) as busy:
        idle.end(doomed[:1])  # and keeps the other 49 keys of its block
        busy.deny_strangers(1, hours_ago=1)  # with a key of the next block
        assert all_accepted(site, good)
        if many:
            busy.deny_strangers(MANY)
            wait_for_the_bound()
            assert all_accepted(site, good)
        idle.end(doomed[1:])
        wait_for_the_bound()
        assert let_in(site, doomed) == 0
        assert all_accepted(site, good)

"""Behind a PgBouncer in transaction mode every answer is the right one, however it is set up."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle

import psycopg
import pytest

from tests.faults.conftest import PASSWORD, create_people, set_up, sign_in
from tests.support.mixed import Mixed, run_mixed
from tests.support.poolers import own_pgbouncer
from tests.support.processes import RunningSite, running_site
from tests.support.servers import Postgres, own_postgres

pytestmark = pytest.mark.services

# In the suite. POOLER_REQUESTS=10000 looks longer, about a minute and a half for each variant.
REQUESTS = int(os.environ.get("POOLER_REQUESTS", "2000"))
PEOPLE = 8
# Seconds after which a revoked token is refused in all processes.
BOUNDS = {"strict": 0.0, "snapshot": 1.0}
SIZE = 3


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with own_postgres() as server:
        set_up(server.url)
        yield server


@pytest.fixture
def pooler(postgres: Postgres) -> Iterator[str]:
    with own_pgbouncer(postgres.url, size=SIZE) as url:
        yield url


@pytest.mark.parametrize("mode", ["strict", "snapshot"])
@pytest.mark.parametrize("threshold", ["None", "5"])
def test_every_answer_is_right_behind_a_pooler(pooler: str, mode: str, threshold: str) -> None:
    # Of one variant, so that each knows all of their sessions.
    names = [f"{mode}-{threshold}-{number}" for number in range(PEOPLE)]
    create_people(pooler, names)
    environment = {
        "DATABASE_URL": pooler,
        "DJANGO_SETTINGS_MODULE": "tests.projects.pooled.settings",
        "DENYLIST_MODE": mode,
        "PREPARE_THRESHOLD": threshold,
        "REFRESH_TOKEN_GRACE": "0",  # Every refresh writes.
    }
    with (
        running_site(workers=2, **environment) as one,
        running_site(workers=2, **environment) as two,
    ):
        prepare_other_statements(pooler, one, two)
        people = [
            Mixed(site, name, PASSWORD, BOUNDS[mode])
            for name, site in zip(names, cycle([one, two]), strict=False)
        ]
        wrong = run_mixed(people, requests=REQUESTS)
    assert not wrong, f"{len(wrong)} of {REQUESTS} answers, the first:\n" + "\n".join(wrong[:20])


def prepare_other_statements(pooler: str, one: RunningSite, two: RunningSite) -> None:
    """
    Let each site run other statements first, and each on a server connection of its own.

    Drivers number the statements that they prepare. A site that takes a statement for its own
    because of its number runs the other's from now on, which happens sooner or later wherever
    workers differ in age or in what they are asked.
    """
    caller, refresher = sign_in(one), sign_in(two)
    with ExitStack() as stack:
        first, second, third = (stack.enter_context(psycopg.connect(pooler)) for _ in range(SIZE))
        # A connection in a transaction keeps its server connection, and all of them are SIZE.
        first.execute("SELECT 1")
        second.execute("SELECT 1")
        assert {caller.calls() for _ in range(30)} == {200}
        third.execute("SELECT 1")
        first.rollback()
        assert {refresher.refreshes() for _ in range(30)} == {200}


def test_no_connection_of_the_pooler_is_left_listening(pooler: str) -> None:
    """
    It would listen for ever, for whichever client has it at the time.

    That client's driver keeps every notification that it did not ask for.
    """
    settings = {"DJANGO_SETTINGS_MODULE": "tests.projects.pooled.settings"}
    with running_site(workers=1, DATABASE_URL=pooler, DENYLIST_MODE="snapshot", **settings) as site:
        assert {sign_in(site).calls() for _ in range(10)} == {200}
        with ExitStack() as stack:
            clients = [stack.enter_context(psycopg.connect(pooler)) for _ in range(SIZE)]
            # Each is in a transaction, so each has a server connection of its own.
            channels = [
                client.execute("SELECT pg_listening_channels()").fetchall() for client in clients
            ]
    assert channels == [[]] * SIZE

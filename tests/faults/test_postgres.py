"""A PostgreSQL that is gone, restarted, read-only or stuck causes 503s and un-revokes nothing."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.faults.conftest import (
    PASSWORD,
    Person,
    assert_unavailable,
    eventually,
    set_up,
    sign_in,
)
from tests.support.processes import Answer, RunningSite, running_site
from tests.support.servers import Postgres, own_postgres

pytestmark = pytest.mark.services

SIGN_IN = {"username": "ada", "password": PASSWORD}

DOORS: list[Callable[[RunningSite, Person], Answer]] = [
    lambda site, ada: site.ask("/api/me/", raw_access=ada.access),
    lambda site, ada: site.ask("/api/sessions/", raw_access=ada.access),
    lambda site, ada: site.ask("/api/token/", body=SIGN_IN),
    lambda site, ada: site.ask("/api/token/refresh/", body={"refresh": ada.refresh}),
    lambda site, ada: site.ask("/api/token/verify/", body={"token": ada.access}),
    # Not 200: nothing has been revoked.
    lambda site, ada: site.ask("/api/token/revoke/", body={"token": ada.refresh}),
    lambda site, ada: site.ask("/api/token/blacklist/", body={"refresh": ada.refresh}),
    lambda site, ada: site.ask("/api/logout/", body={"refresh": ada.refresh}),
    lambda site, ada: site.ask("/.well-known/jwks.json"),
]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with own_postgres() as server:
        set_up(server.url)
        yield server


@pytest.fixture(scope="module")
def site(postgres: Postgres) -> Iterator[RunningSite]:
    limits = "-c statement_timeout=1s"
    with running_site(workers=2, DATABASE_URL=postgres.url, PGOPTIONS=limits) as site:
        yield site


def test_while_it_is_gone_every_door_says_so_and_then_goes_on(
    postgres: Postgres, site: RunningSite
) -> None:
    ada, revoked = sign_in(site), sign_in(site)
    assert site.post("/api/token/revoke/", token=revoked.refresh)[0] == 200
    with postgres.gone():
        started = time.monotonic()
        with ThreadPoolExecutor(len(DOORS)) as pool:
            answers = list(pool.map(lambda door: door(site, ada), DOORS))
        assert time.monotonic() - started < 15
        for answer in answers:
            assert_unavailable(answer)
            assert answer.headers["Content-Type"] == "application/json"
        assert site.ask("/healthz").status == 200
        assert site.ask("/readyz").status == 503
    eventually(lambda: ada.calls() == 200)
    assert ada.refreshes() == 200
    assert (revoked.calls(), revoked.refreshes()) == (401, 401)
    eventually(lambda: site.ask("/readyz").status == 200)


def test_a_restart_in_the_middle_of_requests_signs_no_user_out(
    postgres: Postgres, site: RunningSite
) -> None:
    stop = Event()

    def work(_: int) -> set[int]:
        person, statuses = sign_in(site), set()
        while not stop.is_set():
            statuses |= {person.calls(), person.refreshes()}
        eventually(lambda: person.refreshes() == 200)
        assert person.calls() == 200
        return statuses

    with ThreadPoolExecutor(4) as pool:
        people = [pool.submit(work, number) for number in range(4)]
        time.sleep(1)
        for _ in range(2):
            with postgres.gone():
                time.sleep(0.5)
            time.sleep(1)
        stop.set()
        for person in people:
            assert person.result(timeout=120) <= {200, 503}


def test_while_it_is_read_only_calls_go_on_and_nothing_is_half_written(
    postgres: Postgres, site: RunningSite
) -> None:
    ada = sign_in(site)
    with postgres.read_only():
        assert ada.calls() == 200
        assert_unavailable(site.ask("/api/token/", body=SIGN_IN))
        assert_unavailable(site.ask("/api/token/refresh/", body={"refresh": ada.refresh}))
        assert_unavailable(site.ask("/api/token/revoke/", body={"token": ada.refresh}))
    assert ada.refreshes() == 200
    assert ada.calls() == 200


def test_while_it_is_stuck_a_request_is_given_up_in_time(
    postgres: Postgres, site: RunningSite
) -> None:
    ada = sign_in(site)
    with postgres.stuck("tokens_session"):
        started = time.monotonic()
        assert_unavailable(site.ask("/api/me/", raw_access=ada.access))
        assert time.monotonic() - started < 5
        assert site.ask("/healthz").status == 200
    assert ada.calls() == 200

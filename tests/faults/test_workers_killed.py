"""A worker that is killed with SIGKILL at any point signs nobody out: the client asks again."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from tests.faults.conftest import Person, eventually, set_up, sign_in
from tests.support.processes import RunningSite, running_site

pytestmark = pytest.mark.slow

CLIENTS = 6
KILLS = 8


def refreshes_until_answered(person: Person) -> int:
    """Refresh as a good client does: send the same token again until there is an answer."""
    for _ in range(50):
        try:
            return person.refreshes()
        except OSError:
            time.sleep(0.05)
    raise AssertionError("The site does not come back.")


def works_until(stop: Event, person: Person) -> list[int]:
    statuses = []
    while not stop.is_set():
        statuses.append(refreshes_until_answered(person))
    return statuses


def test_a_killed_worker_signs_no_user_out(tmp_path: Path) -> None:
    database_url = f"sqlite:///{tmp_path}/db.sqlite3"
    set_up(database_url)
    # A busy machine may take longer than the default grace to answer again.
    environment = {"DATABASE_URL": database_url, "REFRESH_TOKEN_GRACE": "120"}
    with running_site(workers=3, **environment) as site:
        people = [sign_in(site) for _ in range(CLIENTS)]
        stop = Event()
        with ThreadPoolExecutor(CLIENTS) as pool:
            working = [pool.submit(works_until, stop, person) for person in people]
            for _ in range(KILLS):
                time.sleep(0.4)
                kill_one(site)
            stop.set()
            for client in working:
                statuses = client.result(timeout=60)
                assert set(statuses) == {200}
        for person in people:
            assert refreshes_until_answered(person) == 200
            assert person.calls() == 200


def kill_one(site: RunningSite) -> None:
    eventually(lambda: len(site.workers()) > 1)
    os.kill(site.workers()[0], signal.SIGKILL)

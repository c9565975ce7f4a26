"""A process that was suspended, or copied, trusts no copy of the denylist that is not its own and new."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import PASSWORD, set_up
from tests.support.crowds import (
    SNAPSHOT_SETTINGS,
    Member,
    all_accepted,
    gather,
    let_in,
    revoke_elsewhere,
    wait_for_the_bound,
)
from tests.support.forked import forked_sites
from tests.support.processes import running_site
from tests.support.servers import own_postgres

pytestmark = pytest.mark.services

STOPPED = 10.0  # seconds


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        url = f"sqlite:///{folder}/db.sqlite3"
        set_up(url)
        yield url
        return
    with own_postgres() as server:
        set_up(server.url)
        yield server.url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with database(request.param, tmp_path) as url:
        yield url


def test_a_worker_that_was_suspended_refuses_at_once_what_was_revoked_meanwhile(url: str) -> None:
    settings = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": SNAPSHOT_SETTINGS}
    with running_site(workers=1, **settings) as site:
        crowd = gather(site, ["ada"], PASSWORD, count=20)
        doomed, good = crowd[:16], crowd[16:]
        assert all_accepted(site, crowd)
        (worker,) = site.workers()
        os.kill(worker, signal.SIGSTOP)
        resumes_at = time.monotonic() + STOPPED
        revoke_elsewhere(url, doomed)

        def ask(member: Member) -> int:
            return site.ask("/who/", raw_access=member.access).status

        with ThreadPoolExecutor(len(crowd)) as pool:
            # These wait until it goes on, and are what it answers first.
            asked = [pool.submit(ask, member) for member in crowd]
            time.sleep(max(0.0, resumes_at - time.monotonic()))
            os.kill(worker, signal.SIGCONT)
            statuses = [each.result() for each in asked]
        assert statuses == [401] * len(doomed) + [200] * len(good)


def test_a_copy_that_was_loaded_before_a_fork_is_followed_up_by_both(url: str) -> None:
    settings = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": SNAPSHOT_SETTINGS}
    with running_site(workers=1, **settings) as site:
        crowd = gather(site, ["ada"], PASSWORD, count=45)
    good, doomed = crowd[:5], crowd[5:]
    with forked_sites(url, good[0].access) as processes:
        for members in (doomed[:20], doomed[20:]):
            assert all(all_accepted(process, members) for process in processes)
            revoke_elsewhere(url, members)
            wait_for_the_bound()
            assert [let_in(process, members) for process in processes] == [0, 0]
        assert [let_in(process, doomed) for process in processes] == [0, 0]
        assert all(all_accepted(process, good) for process in processes)

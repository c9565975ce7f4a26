"""The clock of one host steps by twenty minutes and back: what was revoked stays refused there."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.faults.conftest import PASSWORD, set_up
from tests.support.crowds import (
    Member,
    all_accepted,
    gather,
    let_in,
    revoke_elsewhere,
    revoke_here,
    wait_for_the_bound,
)
from tests.support.host_clocks import HostClock
from tests.support.processes import RunningSite, running_site

pytestmark = pytest.mark.services

STEPS = [timedelta(minutes=20), timedelta(minutes=-20)]
RIGHT = timedelta(0)


class Hosts:
    """Hosts of one site with a database in common, each with its own clock."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self.url = f"sqlite:///{folder}/db.sqlite3"
        set_up(self.url)

    def start(self, name: str, by: timedelta = RIGHT) -> tuple[RunningSite, HostClock]:
        clock = HostClock(self._folder / name, off=by)
        site = running_site(workers=1, DATABASE_URL=self.url, **clock.environment)
        return self._stack.enter_context(site), clock


def people_go_on_at(site: RunningSite) -> bool:
    """Sign in with this host's clock, and return whether its tokens are accepted there."""
    return all_accepted(site, gather(site, ["ada"], PASSWORD, count=4))


def assert_refused_during_and_after_the_step(
    site: RunningSite,
    clock: HostClock,
    before: list[Member],
    during: list[Member],
    *,
    revoke: Callable[[list[Member]], None],
) -> None:
    """Revoke more sessions during the step, and set the clock right again."""
    assert people_go_on_at(site)
    assert let_in(site, before) == 0
    revoke(during)
    wait_for_the_bound()
    assert people_go_on_at(site)
    assert let_in(site, before + during) == 0
    clock.set_off(RIGHT)
    assert let_in(site, before + during) == 0
    wait_for_the_bound()
    assert let_in(site, before + during) == 0


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    with ExitStack() as stack:
        yield Hosts(tmp_path, stack)


@pytest.mark.parametrize("step", STEPS)
def test_what_was_revoked_before_or_during_a_step_stays_refused_after_it(
    hosts: Hosts, step: timedelta
) -> None:
    site, clock = hosts.start("stepping")
    crowd = gather(site, ["ada"], PASSWORD, count=40)
    before, during, good = crowd[:15], crowd[15:30], crowd[30:]
    assert all_accepted(site, good)
    revoke_elsewhere(hosts.url, before)
    wait_for_the_bound()
    assert let_in(site, before) == 0

    clock.set_off(step)
    assert_refused_during_and_after_the_step(
        site, clock, before, during, revoke=partial(revoke_elsewhere, hosts.url)
    )
    assert all_accepted(site, good)


@pytest.mark.parametrize("step", STEPS)
def test_a_process_that_starts_during_a_step_refuses_after_it_what_was_revoked(
    hosts: Hosts, step: timedelta
) -> None:
    right, _ = hosts.start("right")
    crowd = gather(right, ["ada"], PASSWORD, count=40)
    before, during, good = crowd[:15], crowd[15:30], crowd[30:]
    revoke_here(right, before)

    site, clock = hosts.start("stepping", step)
    assert_refused_during_and_after_the_step(
        site, clock, before, during, revoke=partial(revoke_here, right)
    )
    assert all_accepted(site, good)


@pytest.mark.parametrize("step", STEPS)
def test_what_a_host_with_a_wrong_clock_revokes_is_refused_by_the_others(
    hosts: Hosts, step: timedelta
) -> None:
    right, _ = hosts.start("right")
    crowd = gather(right, ["ada"], PASSWORD, count=30)
    doomed, good = crowd[:20], crowd[20:]
    assert all_accepted(right, good)
    wrong, _ = hosts.start("wrong", step)
    revoke_here(wrong, doomed)
    wait_for_the_bound()
    assert let_in(right, doomed) == 0
    # A process that starts now has nothing but the rows.
    new, _ = hosts.start("new")
    assert let_in(new, doomed) == 0
    assert all_accepted(new, good)

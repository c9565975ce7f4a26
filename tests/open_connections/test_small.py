"""A small version of each part, so that ``make connections`` keeps working, and what makes it fail."""

import os
import subprocess
import sys

import pytest

from benchmarks.asynchronous import VIEWS, Measured
from tests.open_connections import processes, ticket_site
from tests.open_connections.crowd import Crowd, Found, judge_others, judge_revoked
from tests.open_connections.plan import Plan
from tests.support.processes import PATIENCE, ROOT

pytestmark = pytest.mark.services
ENGINE = "postgresql" if os.environ["DATABASE_URL"].startswith("postgres") else "sqlite"


def run_small(part: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.open_connections", "--dry", "--part", part]
    return subprocess.run(
        [*command, "--engine", ENGINE, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_forty_connections_of_which_ten_end() -> None:
    many = "40" if ENGINE == "postgresql" else "200"  # SQLite gets a fifth.
    # No figure is judged: the machine runs other tests.
    limits = ["--bound", "4", "--median", "10000", "--quiet", "1"]
    done = run_small("crowd", "--connections", many, "--revoked", "10", "--workers", "1", *limits)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"| {ENGINE} | 40 |" in done.stdout


def test_ten_callers_with_one_ticket() -> None:
    done = run_small("tickets", "--callers", "10", "--races", "1", "--workers", "1")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(ENGINE == "sqlite", reason="The async views are measured on PostgreSQL.")
def test_a_round_of_each_async_view() -> None:
    done = run_small("speed", "--rounds", "1")
    # Whether one round reaches the aims is left to chance, and all else is an error.
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    assert all(f"| {view.name} |" in done.stdout for view in VIEWS), done.stdout + done.stderr


def test_a_share_below_its_aim_is_named() -> None:
    snapshot = next(view for view in VIEWS if view.name == "async view, snapshot")
    measured = Measured(snapshot, rates=[89.0] * 15, rates_without=[100.0] * 15)
    assert str(measured.failure()).startswith("async view, snapshot: 0.89 of the requests")
    assert measured.is_clear()
    measured.rates = [90.0] * 15
    assert measured.failure() is None
    measured.rates = [80.0, 95.0] * 8
    measured.rates_without = [100.0] * 16
    assert not measured.is_clear()


def test_a_connection_that_stays_open_or_closes_late_is_named() -> None:
    holder = _Holder({0: (10.02, 4401), 1: (12.5, 4401), 7: (11.0, 1006)})
    found = Found(Crowd("sqlite", 8, revoked=3, bound=0.1))
    began = {0: 10.0, 1: 10.0, 2: 10.0}
    judge_revoked(found, [holder], began)
    judge_others(found, [holder], began)
    assert found.failures == [
        "sqlite: 1 revoked connections stayed open.",
        "sqlite: they closed after 1260 ms in the median, and not after 50 ms.",
        "sqlite: one closed after 2.50 s, and the bound is 0.1 s.",
        "sqlite: 1 other connections were closed.",
    ]


def test_a_ticket_in_a_log_is_found_and_an_empty_log_is_no_proof() -> None:
    printed = '"GET /report/?ticket=lktk_abc HTTP/1.1" 401\nRuntimeError: This view fails.\n'
    found = ticket_site.search(
        f"{printed}sentry: canary lktk_def", ["lktk_abc", "lktk_def"], "canary"
    )
    assert found == [
        "1 of 2 tickets are in the logs.",
        "1 of 2 tickets are in the events of Sentry.",
    ]
    assert len(ticket_site.search("", ["lktk_abc"], "canary")) == 3


def test_more_connections_than_files_are_refused_at_once() -> None:
    assert processes.room_for(10) is None
    assert "Measure fewer: CONNECTIONS=" in str(processes.room_for(10**9))


def test_the_rest_is_judged_by_the_time_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("tests.open_connections.plan.time.monotonic", lambda: now)
    said: list[str] = []
    plan = Plan(said.append, {"one": 10.0, "two": 20.0})
    plan.begin("one")
    now = 120.0  # Twice as long as expected.
    plan.begin("two")
    plan.reached(1, 2)  # It was said a moment ago.
    assert said == ["one; 30 s are left", "two; 40 s are left"]


class _Holder(processes.Holder):
    """Ends that were collected, without a process."""

    def __init__(self, ended: dict[int, tuple[float, int | None]]) -> None:
        self.ended, self.failure = ended, ""

"""A small version of each trial, so that ``make trials`` keeps working. Chromium's are in tests/browser."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.support.processes import PATIENCE, ROOT
from tests.trials.figures import Figures

pytestmark = pytest.mark.slow

ENGINE = "postgresql" if os.environ["DATABASE_URL"].startswith("postgres") else "sqlite"


def run_trials(group: str) -> None:
    command = [sys.executable, "-m", "tests.trials", "--trials", "1", "--engine", ENGINE]
    done = subprocess.run(
        [*command, "--only", group],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("group", ["families", "followers", "rendering"])
def test_a_trial_of_each_group_on_a_virtual_clock_passes(group: str) -> None:
    run_trials(group)


@pytest.mark.services
def test_the_pages_of_node_keep_their_sessions() -> None:
    if shutil.which("node") is None and os.environ.get("CI") != "true":
        pytest.skip("Node was not found. On Debian and Ubuntu: apt install nodejs")
    run_trials("node")


def test_a_trial_fails_by_what_is_wrong_and_by_what_it_did_too_little_of() -> None:
    figures = Figures("trial", done={"refreshes": 9}, least={"refreshes": 10})
    figures.expect(True, "dead sessions", "")
    assert figures.failures() == ["9 refreshes, and not 10"]
    figures.expect(False, "dead sessions", "family 7")
    figures.count("refreshes")
    assert figures.failures() == ["1 dead sessions"]
    assert figures.examples == ["dead sessions: family 7"]

"""
The stories of projects that import rest_framework_simplejwt.

They run in a process of their own, because this process has the original under that name.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.processes import ROOT

STORIES = Path(__file__).resolve().parent / "stories"
FILES = sorted(map(str, STORIES.glob("stories_*.py")))

pytestmark = [
    pytest.mark.skipif(
        find_spec("tokens.simplejwt_names") is None, reason="the package was deleted"
    ),
    pytest.mark.slow,
]


def run(*arguments: str, **changes: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
         "-o", "python_files=stories_*.py", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.projects.simplejwt_names.settings",
            **changes,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_a_project_with_simplejwts_names_works() -> None:
    run(*FILES)


def test_neither_the_original_nor_its_blacklist_app_nor_time_zones_are_needed() -> None:
    some = [file for file in FILES if not file.endswith(("_blacklist.py", "_names.py"))]
    assert len(some) == 4
    without = {"PYTHONPATH": str(STORIES.parent / "without_original")}
    run(*some, WITHOUT_BLACKLIST="yes", WITHOUT_TIME_ZONES="yes", **without)


def test_the_migrations_and_checks_of_the_project_are_clean() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.projects.simplejwt_names"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.projects.simplejwt_names.settings",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["agreed"], done.stderr

"""Start a race of processes, each with many connections: see ``tests.support.racer``."""

import fcntl
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import ROOT, environment

PROCESSES = 6
THREADS = 9  # A process has ten pooled connections on PostgreSQL, and each thread holds one.


@contextmanager
def only_race() -> Iterator[None]:
    """
    Wait until no other test process runs a race.

    PostgreSQL accepts 100 connections as it is installed, and two races at once would need 108.
    """
    with (Path(tempfile.gettempdir()) / "latchkey-tests-race.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def race(*verbs: str, raw_token: str = "") -> list[str]:
    """Return the result of every thread of every process, all released at the same moment."""
    command = [
        sys.executable,
        "-m",
        "tests.support.racer",
        ",".join(verbs),
        raw_token,
        str(THREADS),
    ]
    with only_race():
        done = subprocess.run(
            command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, timeout=300, check=True
        )
    answers: list[str] = json.loads(done.stdout)
    return answers

"""Make something costly once per run of the tests, and share it among the processes of pytest-xdist."""

import fcntl
import os
from collections.abc import Callable

import pytest


def once_per_run(factory: pytest.TempPathFactory, name: str, make: Callable[[], str]) -> str:
    """
    Return what ``make`` returned when the first process of this run asked for ``name``.

    The others wait for it meanwhile. If ``make`` raises, the next one tries again.
    """
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    made = folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            made.write_text(make())
        return made.read_text()

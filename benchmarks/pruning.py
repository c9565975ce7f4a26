"""Pruning beside simplejwt's ``flushexpiredtokens``, alone and while people sign in."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command

from tokens import pruning

from . import data
from .measure import Timings

ROUNDS = 3
QUIET = 3.0  # seconds of sign-ins without a prune, before each

DELETING: dict[str, Callable[[], Any]] = {
    "latchkey": pruning.prune,
    "simplejwt-blacklist": lambda: call_command("flushexpiredtokens"),
}


def rows(expired: int) -> dict[str, Timings]:
    """
    Time how long it takes, and the sign-ins of another process before and meanwhile.

    Each contender has as many expired rows (simplejwt's: in both its tables) and its own sign-ins.
    p99 is over sign-ins of one round: where few fit into a prune, it is the slowest of them.
    """
    timings: dict[str, Timings] = {
        "prune expired rows": {},
        "prune expired rows while people sign in": {},
        "sign-in beside a prune, p50": {},
        "sign-in beside a prune, p99": {},
    }
    alone, together, p50, p99 = timings.values()
    for _ in range(ROUNDS):
        data.make_expired(expired)
        for name, delete in DELETING.items():
            alone.setdefault(name, []).append(_seconds(delete))
        data.make_expired(expired)
        for name, delete in DELETING.items():
            with signing_in(name) as waits:
                time.sleep(QUIET)
                began = time.time()
                together.setdefault(name, []).append(_seconds(delete))
                ended = time.time()
            before = [wait for at, wait in waits if at < began]
            during = [wait for at, wait in waits if began <= at < ended]
            for label, some in ((name, during), (f"{name}, none going on", before)):
                p50.setdefault(label, []).append(_quantile(some, 0.50))
                p99.setdefault(label, []).append(_quantile(some, 0.99))
    return timings


def _seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _quantile(values: list[float], part: float) -> float:
    return sorted(values)[int(part * len(values))]


@contextmanager
def signing_in(name: str) -> Iterator[list[tuple[float, float]]]:
    """Let a process sign people in; at the end the list has when each came, and their waits."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.signing_in", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    waits: list[tuple[float, float]] = []
    try:
        yield waits
    finally:
        output, _ = process.communicate()  # Closes its standard input, which ends it.
    waits += [(at, wait) for at, wait in json.loads(output)]

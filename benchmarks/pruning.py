"""Compare pruning with simplejwt's ``flushexpiredtokens``, alone and while users sign in."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command

from tokens.operations import pruning

from . import data
from .measure import Timings

ROUNDS = 3
LARGE = 1_000_000  # rows; so many take minutes, so there is only one round
QUIET = 5.0  # seconds of sign-ins without a prune, before each prune
# Seconds from one sign-in to the next: longer than one takes while nothing delays it.
SIGN_INS = {"without the hash": 0.01, "with Argon2": 0.3}

DELETING: dict[str, Callable[[], Any]] = {
    "latchkey": pruning.prune,
    "simplejwt-blacklist": lambda: call_command("flushexpiredtokens"),
}


def rows(expired: int) -> dict[str, Timings]:
    """
    Time a prune, and the sign-ins of another process before and during it.

    Each contender has as many expired rows (simplejwt: in both of its tables) and its own sign-ins.
    p99 is over the sign-ins of one round. If only few fit into a prune, it is the slowest of them.
    """
    alone: Timings = {}
    timings = {"prune expired rows": alone}
    for _ in range(ROUNDS if expired < LARGE else 1):
        data.make_expired(expired)
        for name, delete in DELETING.items():
            alone.setdefault(name, []).append(_seconds(delete))
        for how in SIGN_INS:
            data.make_expired(expired)
            for name, delete in DELETING.items():
                for row, label, value in _beside(name, how, delete):
                    timings.setdefault(row, {}).setdefault(label, []).append(value)
    return timings


def _beside(name: str, how: str, delete: Callable[[], Any]) -> list[tuple[str, str, float]]:
    """Return the figures of one prune during sign-ins, each as (row, label, seconds)."""
    with signing_in(name, how) as waits:
        time.sleep(QUIET)
        began = time.time()
        took = _seconds(delete)
        ended = time.time()
    figures = [(f"prune beside sign-ins {how}", name, took)]
    before = [wait for at, wait in waits if at + wait <= began]
    during = [wait for at, wait in waits if at < ended and at + wait > began]
    if not during:
        raise SystemExit(
            f"No sign-in fell into {name}'s prune of {took:.2f} s; set EXPIRED higher."
        )
    for label, some in ((f"{name}, none going on", before), (name, during)):
        figures.append((f"sign-in {how} beside a prune, p50", label, _quantile(some, 0.50)))
        figures.append((f"sign-in {how} beside a prune, p99", label, _quantile(some, 0.99)))
    return figures


def _seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _quantile(values: list[float], part: float) -> float:
    return sorted(values)[int(part * len(values))]


@contextmanager
def signing_in(name: str, how: str) -> Iterator[list[tuple[float, float]]]:
    """Sign users in from another process; at the end the list has each sign-in's time and wait."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.signing_in", name, how, str(SIGN_INS[how])],
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
        output, _ = process.communicate()  # Closes the process's standard input, which ends it.
    waits += [(at, wait) for at, wait in json.loads(output)]

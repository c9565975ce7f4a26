"""
Interleaved timing: in each round every contender runs for a moment.

A machine that is busy for a while is then busy for all of them, and each ratio is taken within a
round.
"""

import gc
import os
import time
from collections.abc import Callable
from statistics import quantiles
from typing import Any

from django.test import override_settings

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "40"))
# The number of seconds that one contender runs in one round.
MOMENT = 0.012

Timings = dict[str, list[float]]


def interleave(
    contenders: dict[str, Callable[[], Any]],
    *,
    rounds: int | None = None,
    calls: int | None = None,
) -> Timings:
    """
    Return the seconds that each contender took per call, by round.

    If ``calls`` is None, it is as many as fit into MOMENT, which is measured first. A contender
    whose name begins with "snapshot" runs in snapshot mode.
    """
    repeats = {name: calls or _fitting(name, call) for name, call in contenders.items()}
    timings: Timings = {name: [] for name in contenders}
    order = list(contenders)
    gc.collect()
    for turn in range(rounds or ROUNDS):
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            timings[name].append(_timed(name, contenders[name], repeats[name]))
    return timings


def ratio(timings: Timings, one: str, other: str) -> tuple[float, float, float]:
    """Return the median and the quartiles of one ÷ other, computed per round."""
    return spread([a / b for a, b in zip(timings[one], timings[other], strict=True)])


def spread(values: list[float]) -> tuple[float, float, float]:
    """Return the median and the quartiles. For a single value, all three are that value."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    lower, middle, upper = quantiles(values, n=4)
    return middle, lower, upper


def _fitting(name: str, call: Callable[[], Any]) -> int:
    _timed(name, call, 3)  # Warm up.
    return max(1, int(MOMENT / min(_timed(name, call, 3) for _ in range(3))))


def _timed(name: str, call: Callable[[], Any], repeats: int) -> float:
    mode = "snapshot" if name.startswith("snapshot") else "strict"
    with override_settings(TOKENS_DENYLIST_MODE=mode):
        call()
        began = time.perf_counter()
        for _ in range(repeats):
            call()
        return (time.perf_counter() - began) / repeats

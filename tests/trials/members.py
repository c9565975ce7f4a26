"""Let families live: their members are threads, or processes that share a folder."""

import multiprocessing
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier, BrokenBarrierError

from django.db import connection

from tests.trials import start
from tests.trials.families import PROCESSES, Kind, live
from tests.trials.figures import Figures
from tests.trials.stores import File, Memory, Store

PATIENCE = 120  # seconds; a round takes a fraction of one


def in_threads(kind: Kind, numbers: range) -> Figures:
    """Let these families live, each with one memory for all its members."""
    stores = {number: Memory() for number in numbers}
    members = range(len(kind.members))
    barrier = Barrier(len(members))
    with ThreadPoolExecutor(len(members)) as pool:
        running = [
            pool.submit(_live_all, kind, numbers, me, stores.__getitem__, barrier) for me in members
        ]
    return _sum(kind, running)


def in_processes(numbers: range) -> Figures:
    """Let these families of processes live, each with one file for all its members."""
    context = multiprocessing.get_context("spawn")
    members = range(len(PROCESSES.members))
    barrier = context.Barrier(len(members))
    with (
        tempfile.TemporaryDirectory(prefix="latchkey-trials-") as folder,
        ProcessPoolExecutor(
            len(members), context, initializer=start.set_member_up, initargs=(barrier,)
        ) as pool,
    ):
        running = [pool.submit(live_in_a_process, numbers, me, Path(folder)) for me in members]
    return _sum(PROCESSES, running)


def live_in_a_process(numbers: range, me: int, folder: Path) -> Figures:
    return _live_all(PROCESSES, numbers, me, partial(File, folder), start.barrier())


def _live_all(
    kind: Kind, numbers: range, me: int, store_of: Callable[[int], Store], barrier: Barrier
) -> Figures:
    """Live in each of these families as its member ``me``; return what this member counted."""
    figures = Figures(kind.name)
    try:
        for number in numbers:
            live(kind, number, me, store_of(number), partial(barrier.wait, PATIENCE), figures)
    except BaseException:
        barrier.abort()  # The others would wait for this one.
        raise
    finally:
        connection.close()
    return figures


def _sum(kind: Kind, running: list[Future[Figures]]) -> Figures:
    total = Figures(kind.name)
    # The cause first: the others have only waited for the one that failed.
    for member in sorted(running, key=lambda one: isinstance(one.exception(), BrokenBarrierError)):
        total.add(member.result())
    return total

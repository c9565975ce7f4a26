"""
``make explore``: run every schedule of every scenario on SQLite and PostgreSQL.

The databases are temporary. PostgreSQL is the server of DATABASE_URL, the local one, or a new one.
Exits with 1 if a promise was broken; with ``--faults``, if a fault was not noticed.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import tests.settings  # noqa: F401  # Sets the environment before the site reads it.
from tests.support.services import engine_server, temporary_database

from . import worker

ENGINES = ("sqlite", "postgresql")


def main() -> None:
    chosen = _arguments()
    codes = [_run(engine, chosen) for engine in chosen.engine or ENGINES]
    sys.exit(any(codes))


def _run(engine: str, chosen: argparse.Namespace) -> bool:
    """Explore on one engine, and return whether something is wrong."""
    began, found = time.monotonic(), []
    with _workers(engine, chosen.jobs) as pool:
        names = pool.submit(worker.names, faults=chosen.faults, only=chosen.only).result()
        work = worker.check_fault if chosen.faults else worker.check_scenario
        for outcome in pool.map(work, names):
            found.append(outcome)
            _print(outcome, engine, brief=chosen.faults)
    covered = sum(outcome.covered for outcome in found)
    print(
        f"{engine}: {len(found)} searches, {sum(outcome.states for outcome in found)} states, "
        f"which stand for {covered:.1e} schedules, in {time.monotonic() - began:.0f} s"
    )
    return any(outcome.is_wrong for outcome in found)


def _print(outcome: worker.Outcome, engine: str, *, brief: bool) -> None:
    print(
        f"{engine:10}  {outcome.name:65} {outcome.schedules:4} schedules, {outcome.states:5} states "
        f"for {outcome.covered:7.1e}, {outcome.seconds:5.1f} s  {outcome.verdict}",
        flush=True,
    )
    if brief:
        return
    # One schedule may break several promises.
    for schedule in dict.fromkeys(outcome.violations.values()):
        for violation, shown_by in outcome.violations.items():
            if shown_by == schedule:
                print(f"    {violation}")
        for step in schedule:
            print(f"        {step}")


@contextmanager
def _workers(engine: str, jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Yield processes that each have a database of their own."""
    spawn = multiprocessing.get_context("spawn")
    urls: Any = spawn.Queue()
    with ExitStack() as stack:
        server = stack.enter_context(engine_server(engine))
        for _ in range(jobs):
            urls.put(stack.enter_context(temporary_database(server)))
        yield stack.enter_context(ProcessPoolExecutor(jobs, spawn, worker.set_up, (urls,)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.exploration", description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, action="append", help="by default both")
    parser.add_argument("--only", default="", help="a part of the names of scenarios or faults")
    parser.add_argument("--faults", action="store_true", help="break the product, and be noticed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    return parser.parse_args()


if __name__ == "__main__":
    main()

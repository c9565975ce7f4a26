"""
``python -m tests.reach``: measure how soon a verifier refuses what was ended, and write docs/reach.md.

Ten ways to end, each ``--ends`` times, are seen by a Python service, a Node service and a gateway: with
the site under uvicorn, which pushes, and under gunicorn, which is polled. The time runs from the answer
to the request that ended it. It exits with 1 if a median is over 100 ms by push or 700 ms by polling, or
one time over a second and a poll.

    --ends       how many of each, by default 200
    --engine     sqlite or postgresql, by default both
    --server     uvicorn or gunicorn, by default both
    --dry        do not write docs/reach.md
    --calm       without the disasters
"""

import argparse
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from tests.reach.measuring import Times, figure, run_disasters, run_ends
from tests.support.services import engine_server, temporary_database

PAGE = Path(__file__).resolve().parents[2] / "docs/reach.md"
BEGIN, END = "<!-- make reach -->", "<!-- end -->"
# The median and the longest time of each server, in seconds.
BOUNDS = {"uvicorn": (0.1, 2.0), "gunicorn": (0.7, 2.0)}
R = TypeVar("R")
Cut = dict[str, dict[str, str]]
NAMES = {"uvicorn": "push", "gunicorn": "polling"}


def too_slow(times: Times, server: str) -> list[str]:
    usual, longest = BOUNDS[server]
    return [
        f"{way}, {who}, {NAMES[server]}: {figure(took)}"
        for way, of_way in times.items()
        for who, took in of_way.items()
        if median(took) > usual or max(took) > longest
    ]


def table(found: dict[tuple[str, str], Times], ends: int) -> str:
    columns = [
        (f"{who}, {NAMES[server]}", engine, server, who)
        for engine, server in found
        for who in ("Python", "Node", "gateway")
    ]
    by_engine = {engine for engine, _ in found}
    lines = [f"Measured on {datetime.now(UTC):%Y-%m-%d}, {ends} ends each, median / longest in ms."]
    for engine in sorted(by_engine):
        mine = [column for column in columns if column[1] == engine]
        lines += ["", f"**{engine}**", "", f"| end | {' | '.join(c[0] for c in mine)} |"]
        lines.append("|---" * (len(mine) + 1) + "|")
        for way in next(iter(found.values())):
            cells = [figure(found[engine, server][way][who]) for _, _, server, who in mine]
            lines.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(lines)


def table_of_disasters(found: dict[str, Cut]) -> str:
    if not found:
        return ""
    columns = [(server, who) for server in found for who in ("Python", "Node")]
    names = " | ".join(f"{who}, {NAMES[server]}" for server, who in columns)
    lines = [
        "",
        "**Cut off**, with a bound of 4 s. 100,000 calls in each cell: none was accepted.",
        "",
    ]
    lines += [f"| what happens | {names} |", "|---" * (len(columns) + 1) + "|"]
    for disaster in next(iter(found.values())):
        cells = [found[server][disaster][who] for server, who in columns]
        lines.append(f"| {disaster} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ends", type=int, default=200)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--server", choices=tuple(BOUNDS), action="append")
    parser.add_argument("--dry", action="store_true")
    parser.add_argument("--calm", action="store_true")
    options = parser.parse_args()
    os.environ.update(DJANGO_SETTINGS_MODULE="tests.reach.settings", FEED_READERS="everybody")
    found: dict[tuple[str, str], Times] = {}
    failures: list[str] = []
    for engine in options.engine or ("sqlite", "postgresql"):
        with engine_server(engine) as running:
            for server in options.server or tuple(BOUNDS):
                with temporary_database(running) as url:
                    # Django reads its settings once, so each measurement has a process of its own.
                    times = in_a_process(url, run_ends, server, options.ends)
                found[engine, server] = times
                failures += [f"{engine}, {line}" for line in too_slow(times, server)]
    cut_off: dict[str, Cut] = {}
    for server in () if options.calm else options.server or tuple(BOUNDS):
        with temporary_database("sqlite") as url:
            cut_off[server] = in_a_process(url, run_disasters, server)
    if not options.dry:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        text = f"{table(found, options.ends)}\n{table_of_disasters(cut_off)}"
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")
    print("\n".join(failures) or "Every line is within its bounds.")
    return int(bool(failures))


def in_a_process(url: str, work: Callable[..., R], *words: Any) -> R:
    os.environ["DATABASE_URL"] = url
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *words).result()


if __name__ == "__main__":
    sys.exit(main())

"""
``python -m tests.open_connections``: measure open connections, tickets and async views.

Exits with 1 if a line falls short, and says which. Writes the figures into docs/connections.md and
docs/async.md.

    --connections   how many WebSockets on PostgreSQL, by default 10000; a fifth of them on SQLite
    --workers       processes of each server; by default 2 for WebSockets and 4 for tickets
    --revoked       how many sessions are revoked, by default 100
    --bound         seconds within which each of them closes, by default 1
    --median        milliseconds within which half of them close, by default 50
    --quiet         seconds in which the transactions of idle servers are counted, by default 20
    --callers       requests that use one ticket at once, by default 50
    --races         how often threads of six processes use one, by default 5
    --rounds        of the async views; by default 15 to 60, until the shares are clear
    --engine        sqlite or postgresql, by default both; the async views are measured on PostgreSQL only
    --part          tickets, crowd or speed, by default all
    --dry           do not write the pages
"""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import asynchronous
from tests.open_connections.crowd import Crowd, Found
from tests.open_connections.parts import in_a_process, run_crowd, run_speed, run_tickets
from tests.open_connections.processes import room_for
from tests.support.services import engine_server, temporary_database

DOCS = Path(__file__).resolve().parents[2] / "docs"
BEGIN, END = "<!-- make connections -->", "<!-- end -->"
PARTS = ("tickets", "crowd", "speed")


def main() -> int:
    options = _options()
    if "crowd" in options.part and (trouble := room_for(options.connections)):
        sys.exit(trouble)
    failures: list[str] = []
    crowds: list[Found] = []
    for engine in options.engine:
        with engine_server(engine) as server:
            if "tickets" in options.part:
                with temporary_database(server) as url:
                    failures += in_a_process(
                        url,
                        run_tickets,
                        engine,
                        options.callers,
                        options.workers or 4,
                        options.races,
                    )
            if "crowd" in options.part:
                with temporary_database(server) as url:
                    crowds.append(in_a_process(url, run_crowd, _crowd(engine, options)))
            if "speed" in options.part and engine == "postgresql":
                with temporary_database(server) as url:
                    views = in_a_process(url, run_speed, url, options.rounds)
                failures += [line for view in views if (line := view.failure())]
                _show("async.md", asynchronous.table(views), options)
    if crowds:
        failures += [line for found in crowds for line in found.failures]
        _show("connections.md", table(crowds), options)
    print("\n".join(failures) or "Every line is within its bounds.")
    return int(bool(failures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--revoked", type=int, default=100)
    parser.add_argument("--bound", type=float, default=1.0)
    parser.add_argument("--median", type=float, default=50.0)
    parser.add_argument("--quiet", type=float, default=20.0)
    parser.add_argument("--callers", type=int, default=50)
    parser.add_argument("--races", type=int, default=5)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--part", choices=PARTS, action="append")
    parser.add_argument("--dry", action="store_true")
    options = parser.parse_args()
    options.part = options.part or PARTS
    options.engine = options.engine or ("postgresql", "sqlite")
    return options


def _crowd(engine: str, options: argparse.Namespace) -> Crowd:
    many = options.connections if engine == "postgresql" else max(options.connections // 5, 1)
    return Crowd(
        engine,
        many,
        workers=options.workers or 2,
        revoked=min(options.revoked, many),
        bound=options.bound,
        usual=options.median / 1000,
        quiet=options.quiet,
    )


def table(crowds: list[Found]) -> list[str]:
    return [
        f"{crowds[0].crowd.revoked} sessions were revoked in another process.",
        "",
        "| database | open WebSockets | bound | closed after, median / longest "
        "| memory of the servers for each | while nothing happens: transactions per second "
        "| share of one core |",
        "|---|---|---|---|---|---|---|",
        *(found.row() for found in crowds),
    ]


def _show(page: str, lines: list[str], options: argparse.Namespace) -> None:
    """Print the lines, and put them between the markers of a page unless the run is dry."""
    load = os.getloadavg()[2]
    measured = f"Measured on {datetime.now(UTC):%Y-%m-%d}, with {os.cpu_count()} cores and a load of {load:.1f}."
    text = "\n".join([measured, "", *lines, ""])
    print(text)
    if not options.dry:
        path = DOCS / page
        before, _, rest = path.read_text().partition(BEGIN)
        path.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    sys.exit(main())

"""
``make trials``: run the field trials on SQLite and PostgreSQL, and print their figures.

The databases are temporary. PostgreSQL is the server of DATABASE_URL, the local one, or a new one.
Exits with 1 if a session of an honest client died, or if something of a thief went unnoticed.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

import tests.settings  # noqa: F401  # Sets the environment before the site reads it.
from tests.support.processes import manage
from tests.support.services import engine_server, temporary_database
from tests.trials import GROUPS

ENGINES = ("sqlite", "postgresql")
TRIALS = 40


def main() -> None:
    chosen = _arguments()
    codes = [
        _run(engine, chosen.trials, chosen.only or GROUPS) for engine in chosen.engine or ENGINES
    ]
    sys.exit(any(codes))


def _run(engine: str, trials: int, groups: Sequence[str]) -> int:
    """Run the trials in a process of their own, whose settings name one database."""
    with engine_server(engine) as server, temporary_database(server) as url:
        os.environ.update(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="tests.trials.settings")
        done = manage("migrate", "-v0", DATABASE_URL=url)
        if done.returncode:
            sys.exit(done.stderr)
        command = [sys.executable, "-m", "tests.trials.one_engine", engine, str(trials), *groups]
        return subprocess.run(command, check=False).returncode


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.trials", description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, action="append", help="by default both")
    parser.add_argument("--only", choices=GROUPS, nargs="+", help="by default all of them")
    parser.add_argument(
        "--trials", type=int, default=TRIALS, help="of each page; the others in proportion"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""
``make fuzz``: send random requests to the site under gunicorn and uvicorn, half of them to each.

The database is temporary, on SQLite. Exits with 1 if an answer or a log broke a promise.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import tests.settings  # noqa: F401  # Sets the environment before the site reads it.
from tests.fuzz.requests import Tokens
from tests.fuzz.run import SEED, Findings, fuzz
from tests.support.processes import Site, manage, site_under
from tests.support.services import temporary_database

SERVERS = ("gunicorn", "uvicorn")
PASSWORD = "correct horse battery staple"
MAKE_USER = (
    "from django.contrib.auth import get_user_model as model;"
    f"model().objects.create_superuser('fuzz', 'fuzz@example.org', {PASSWORD!r})"
)


def main() -> None:
    chosen = _arguments()
    servers = chosen.server or SERVERS
    wrong = False
    with temporary_database("sqlite") as url:
        os.environ.update(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="tests.fuzz.settings")
        for words in (["migrate", "-v0"], ["shell", "-v0", "-c", MAKE_USER]):
            done = manage(*words, DATABASE_URL=url)
            if done.returncode:
                sys.exit(done.stderr)
        for server in servers:
            found = _run(server, url, chosen.requests // len(servers), chosen.first, chosen.seed)
            print(f"{server}: {found.line()}", flush=True)
            for text in found.wrongs:
                print(f"WRONG  {text}", flush=True)
            wrong = wrong or bool(found.wrongs)
    sys.exit(wrong)


def _run(server: str, url: str, count: int, first: int, seed: int) -> Findings:
    with tempfile.TemporaryDirectory(prefix="latchkey-fuzz-") as folder:
        log = Path(folder) / "log"
        changes = {"DATABASE_URL": url, "WEB_CONCURRENCY": "2"}
        with site_under(server, changes, log=log) as site:
            return fuzz(
                urlsplit(site.base).port or 0,
                log,
                lambda: _sign_in(site),
                count=count,
                first=first,
                seed=seed,
            )


def _sign_in(site: Site) -> Tokens:
    status, body = site.post("/api/token/", username="fuzz", password=PASSWORD)
    if status != 200:
        sys.exit(f"The sign-in between two batches was refused: {body}")
    return Tokens(body["access"], body["refresh"])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="to all servers together")
    parser.add_argument("--first", type=int, default=0, help="the number of the first request")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--server", choices=SERVERS, action="append", help="by default both")
    return parser.parse_args()


if __name__ == "__main__":
    main()

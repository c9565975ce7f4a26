"""Run every benchmark on each engine, then write docs/performance.md and its plots."""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from . import sizes
from .processes import ROOT, environment
from .report import write

SIZES = [int(size) for size in (os.environ.get("SIZES") or "1000,10000,1000000").split(",")]
EXPIRED = os.environ.get("EXPIRED") or "100000"
POSTGRES = os.environ.get("DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
DATABASE = "latchkey_bench"
NAMES = [DATABASE, *(f"{DATABASE}_{size}" for size in SIZES)]
PACKAGES = [
    "django",
    "djangorestframework",
    "pyjwt",
    "djangorestframework-simplejwt",
    "django-rest-knox",
    "django-oauth-toolkit",
    "django-allauth",
    "psycopg",
]


def main() -> None:
    load_before = os.getloadavg()
    engines = []
    with tempfile.TemporaryDirectory(prefix="latchkey-bench-") as folder:
        engines.append(run(lambda name: f"sqlite:///{folder}/{name}.sqlite3"))
    if postgres_answers():
        engines.append(run(fresh_postgres))
        for name in NAMES:
            execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    machine = describe() | {"load": [load_before, os.getloadavg()], "expired": int(EXPIRED)}
    write(engines, machine=machine, folder=ROOT / "docs")
    print("Wrote docs/performance.md and its plots.")


def run(database: Callable[[str], str]) -> dict[str, Any]:
    """Measure on one engine; ``database`` creates an empty database and returns its URL."""
    database_url = database(DATABASE)
    print(f"Measuring on {urlsplit(database_url).scheme}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.engine", EXPIRED],
        cwd=ROOT,
        env=environment(database_url),
        stdout=subprocess.PIPE,
        check=True,
    )
    engine = dict(json.loads(done.stdout))
    engine["results"] |= sizes.measure({size: database(f"{DATABASE}_{size}") for size in SIZES})
    return engine


def postgres_answers() -> bool:
    try:
        execute("SELECT 1")
    except psycopg.Error as error:
        print(f"Without PostgreSQL, which does not answer at DATABASE_URL: {error}")
        return False
    return True


def fresh_postgres(name: str) -> str:
    """Create an empty database and return its URL."""
    execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    execute(f"CREATE DATABASE {name}")
    return urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{name}"))


def execute(statement: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement)


def describe() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = {line.split(":")[1].strip() for line in lines if line.startswith("model name")}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{os.cpu_count()} of {', '.join(sorted(models))}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


if __name__ == "__main__":
    main()

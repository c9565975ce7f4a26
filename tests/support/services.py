"""
Run a command with PostgreSQL and Redis: ``python -m tests.support.services COMMAND …``.

DATABASE_URL and CACHE_URL, where they are set, say which. Otherwise those that answer on this
machine's usual ports serve, and what does not answer is started from the machine's own packages, in
a folder of its own, until the command has ended.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import redis

from tests.support.servers import NotInstalled, own_postgres, own_redis

USUAL_DATABASE_URL = "postgres://postgres@127.0.0.1:5432/postgres"
USUAL_CACHE_URL = "redis://127.0.0.1:6379/15"


def trouble_with_postgres(url: str) -> str | None:
    """Return why the server does not answer, None when it does."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        return str(error)
    return None


def trouble_with_redis(url: str) -> str | None:
    """Return why the server does not answer, None when it does."""
    try:
        redis.Redis.from_url(url, socket_timeout=5).ping()
    except redis.RedisError as error:
        return str(error)
    return None


def refuse_silent(name: str, url: str, trouble: str | None) -> None:
    """Exit with a sentence when the server that somebody named does not answer."""
    if trouble:
        where = urlsplit(url)
        sys.exit(
            f"{name} names {where.hostname}:{where.port}, which does not answer: {trouble}\n"
            f"Start it, or unset {name}: then one is started for as long as it is needed."
        )


@contextmanager
def database() -> Iterator[str]:
    """Lend the address of a PostgreSQL whose user may create databases."""
    if given := os.environ.get("DATABASE_URL"):
        refuse_silent("DATABASE_URL", given, trouble_with_postgres(given))
        yield given
    elif trouble_with_postgres(USUAL_DATABASE_URL) is None:
        yield USUAL_DATABASE_URL
    else:
        with own_postgres() as server:
            yield server.url


@contextmanager
def cache() -> Iterator[str]:
    """Lend the address of a Redis."""
    if given := os.environ.get("CACHE_URL"):
        refuse_silent("CACHE_URL", given, trouble_with_redis(given))
        yield given
    elif trouble_with_redis(USUAL_CACHE_URL) is None:
        yield USUAL_CACHE_URL
    else:
        with own_redis() as server:
            yield server.url


def main(command: list[str]) -> int:
    try:
        with database() as database_url, cache() as cache_url:
            served = {**os.environ, "DATABASE_URL": database_url, "CACHE_URL": cache_url}
            return subprocess.run(command, env=served, check=False).returncode
    except NotInstalled as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

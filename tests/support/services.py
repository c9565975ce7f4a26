"""
Run a command with PostgreSQL and Redis: ``python -m tests.support.services COMMAND …``.

The servers are those that DATABASE_URL and CACHE_URL name. If a variable is not set, the server
that answers on the usual local port is used. If none answers, one is started from the installed
packages, in a temporary folder, and stopped when the command has ended. The command gets an empty
database of its own on that server: what others keep in the database of DATABASE_URL changes nothing.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import redis

from tests.support.servers import NotInstalled, own_postgres, own_redis

USUAL_DATABASE_URL = "postgres://postgres@127.0.0.1:5432/postgres"
USUAL_CACHE_URL = "redis://127.0.0.1:6379/15"


def trouble_with_postgres(url: str) -> str | None:
    """Return why the server does not answer; None if it does."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        return str(error)
    return None


def trouble_with_redis(url: str) -> str | None:
    """Return why the server does not answer; None if it does."""
    try:
        redis.Redis.from_url(url, socket_timeout=5).ping()
    except redis.RedisError as error:
        return str(error)
    return None


def refuse_silent(name: str, url: str, trouble: str | None) -> None:
    """Exit with a message if ``trouble`` says that the server in the variable does not answer."""
    if trouble:
        where = urlsplit(url)
        sys.exit(
            f"{name} names {where.hostname}:{where.port}, which does not answer: {trouble}\n"
            f"Start it, or unset {name}: then one is started for as long as it is needed."
        )


@contextmanager
def database() -> Iterator[str]:
    """Yield the URL of a PostgreSQL whose user may create databases."""
    if given := os.environ.get("DATABASE_URL"):
        refuse_silent("DATABASE_URL", given, trouble_with_postgres(given))
        yield given
    elif trouble_with_postgres(USUAL_DATABASE_URL) is None:
        yield USUAL_DATABASE_URL
    else:
        with own_postgres() as server:
            yield server.url


@contextmanager
def engine_server(engine: str) -> Iterator[str]:
    """Yield what ``temporary_database`` needs for this engine: "sqlite", or "postgresql"."""
    if engine == "sqlite":
        yield engine
        return
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        os.environ.pop("DATABASE_URL", None)  # Then a PostgreSQL is looked for, or started.
    with database() as server:
        yield server


@contextmanager
def temporary_database(server: str) -> Iterator[str]:
    """Yield the URL of an empty database: on this PostgreSQL, or in a temporary folder on SQLite."""
    if not server.startswith("postgres"):
        with tempfile.TemporaryDirectory(prefix="latchkey-database-") as folder:
            yield f"sqlite:///{folder}/db.sqlite3"
        return
    name = f"latchkey_{uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def cache() -> Iterator[str]:
    """Yield the URL of a Redis."""
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
        with (
            database() as server,
            temporary_database(server) as database_url,
            cache() as cache_url,
        ):
            served = {**os.environ, "DATABASE_URL": database_url, "CACHE_URL": cache_url}
            return subprocess.run(command, env=served, check=False).returncode
    except NotInstalled as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

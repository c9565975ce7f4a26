"""Say in a sentence whether the servers that `make test-services` needs answer."""

import os
import sys
from urllib.parse import urlsplit

import psycopg
import redis


def complaint(database_url: str, cache_url: str) -> str | None:
    """Return what is missing and what to do, None when both servers answer."""
    try:
        psycopg.connect(database_url, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        where = urlsplit(database_url)
        return (
            f"PostgreSQL at {where.hostname}:{where.port or 5432} does not answer: {error}. "
            "Start it, or set DATABASE_URL to one whose user may create databases."
        )
    try:
        redis.Redis.from_url(cache_url, socket_timeout=5).ping()
    except redis.RedisError as error:
        where = urlsplit(cache_url)
        return (
            f"Redis at {where.hostname}:{where.port or 6379} does not answer: {error}. "
            "Start it, or set CACHE_URL."
        )
    return None


if __name__ == "__main__":
    sys.exit(complaint(os.environ["DATABASE_URL"], os.environ["CACHE_URL"]))

"""Rows by the million, made by the database itself."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

USERS = 1000

_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT %(first)s UNION ALL SELECT i + 1 FROM n WHERE i < %(last)s)",
    "postgresql": "WITH n(i) AS (SELECT generate_series(%(first)s::bigint, %(last)s::bigint))",
}
_UUID = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}
_ID = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()::text"}


def make_users() -> None:
    """Make the users that the rows belong to, numbered in a table of their own."""
    users = get_user_model().objects.bulk_create(
        [
            get_user_model()(username=f"user{i}", email=f"user{i}@example.org", password="!")
            for i in range(USERS)
        ]
    )
    with connection.cursor() as cursor:
        kind = "uuid" if connection.vendor == "postgresql" else "char(32)"
        cursor.execute(f"CREATE TABLE bench_user (i integer PRIMARY KEY, id {kind})")
        field = get_user_model()._meta.pk
        cursor.executemany(
            "INSERT INTO bench_user VALUES (%s, %s)",
            [(i, field.get_db_prep_value(user.pk, connection)) for i, user in enumerate(users)],
        )


def grow(size: int, *, of: int) -> None:
    """Bring sessions, denials and simplejwt's two tables from ``of`` to ``size`` rows each."""
    now = timezone.now()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # Random keys land all over the file: what does not fit into the cache is read again.
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("PRAGMA cache_size = -1000000")
        _insert_sessions(of, size, now=now)
        _insert_denials(of, size, until=now + timedelta(hours=1), now=now)
        _insert_outstanding(of, size, expires_at=now + timedelta(days=1), now=now)
        cursor.execute("ANALYZE")
    connection.close()  # What is timed opens its own, with the project's pragmas.


def make_expired(count: int) -> None:
    """Add denials and simplejwt's tokens that are over."""
    now = timezone.now() - timedelta(days=2)
    _insert_denials(0, count, until=now + timedelta(days=1), now=now)
    _insert_outstanding(0, count, expires_at=now + timedelta(days=1), now=now)


def _insert_sessions(first: int, last: int, *, now: datetime) -> None:
    _run(
        f"""
        INSERT INTO tokens_session (id, user_id, generation, kid, auth_hash, started_at,
            refreshed_at, idle_until, expires_at, end_reason, user_agent)
        SELECT {_UUID[connection.vendor]}, u.id, 3, 'kid', 'hash', %(now)s, %(now)s, %(until)s,
            %(until)s, '', 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'
        FROM n JOIN bench_user u ON u.i = n.i %% {USERS}
        """,
        first=first,
        last=last,
        now=now,
        until=now + timedelta(days=14),
    )


def _insert_denials(first: int, last: int, *, until: datetime, now: datetime) -> None:
    _run(
        f"""
        INSERT INTO tokens_deniedtoken (value, kind, user_id, reason, denied_at, until)
        SELECT {_ID[connection.vendor]}, 'sid', u.id, 'revoked', %(now)s, %(until)s
        FROM n JOIN bench_user u ON u.i = n.i %% {USERS}
        """,
        first=first,
        last=last,
        now=now,
        until=until,
    )


def _insert_outstanding(first: int, last: int, *, expires_at: datetime, now: datetime) -> None:
    _run(
        f"""
        INSERT INTO token_blacklist_outstandingtoken (user_id, jti, token, created_at, expires_at)
        SELECT u.id, {_ID[connection.vendor]}, 'a token', %(now)s, %(until)s
        FROM n JOIN bench_user u ON u.i = n.i %% {USERS}
        """,
        first=first,
        last=last,
        now=now,
        until=expires_at,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO token_blacklist_blacklistedtoken (token_id, blacklisted_at)
            SELECT id, created_at FROM token_blacklist_outstandingtoken o WHERE token = 'a token'
            AND NOT EXISTS (SELECT 1 FROM token_blacklist_blacklistedtoken b WHERE b.token_id = o.id)
            """
        )


def _run(sql: str, *, first: int, last: int, **parameters: Any) -> None:
    if last <= first:
        return
    insert, select = sql.split("SELECT", 1)
    numbers = _NUMBERS[connection.vendor]
    if connection.vendor == "sqlite":
        statement = f"{numbers} {insert} SELECT {select}"
    else:
        statement = f"{insert} {numbers} SELECT {select}"
    with connection.cursor() as cursor:
        cursor.execute(statement, {"first": first + 1, "last": last, **parameters})

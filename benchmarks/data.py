"""Create millions of rows with SQL, inside the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection
from django.utils import timezone

from tokens import keyring
from tokens.models import DeniedToken, Session

PER_USER = 10  # sessions
LEAST_USERS = 1000
SPREAD = timedelta(days=100)
# One user has many sessions, as a service that signs in each time. Many users share one address.
BUSY_ADDRESS = "203.0.113.1"

_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT %(first)s UNION ALL SELECT i + 1 FROM n WHERE i < %(last)s)",
    "postgresql": "WITH n(i) AS (SELECT generate_series(%(first)s::bigint, %(last)s::bigint))",
}
_UUID = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}
_ID = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()::text"}
_INET = {"sqlite": "({})", "postgresql": "CAST({} AS inet)"}
_INSTANT = {
    "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', {}, 'unixepoch')",
    "postgresql": "to_timestamp({})",
}
# A multiplicative hash, so that consecutive rows do not have similar values.
_MIXED = "(n.i * 2654435761 %% 4294967296)"


def make_users(count: int = LEAST_USERS) -> None:
    """Create the users that own the rows, numbered in the table ``bench_user``."""
    table = get_user_model()._meta.db_table
    kind = "uuid" if connection.vendor == "postgresql" else "char(32)"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_user (i integer PRIMARY KEY, id {kind})")
        _run(
            f"INSERT INTO bench_user (i, id) SELECT n.i - 1, {_UUID[connection.vendor]} FROM n",
            last=count,
        )
        with _without_indexes([table]):
            cursor.execute(
                f"""
                INSERT INTO {table} (id, username, email, password, first_name, last_name,
                    is_superuser, is_staff, is_active, date_joined)
                SELECT id, 'user' || i, 'user' || i || '@example.org', '!', 'Ada', 'Lovelace',
                    FALSE, FALSE, TRUE, %s
                FROM bench_user
                """,
                [connection.ops.adapt_datetimefield_value(timezone.now())],
            )
        cursor.execute("ANALYZE")


def fill(size: int) -> None:
    """Create ``size`` sessions, as many denials, and their users in an empty database."""
    now = timezone.now()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # Random keys spread over the whole file, so what does not fit into the cache is read
            # again.
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("PRAGMA cache_size = -2000000")
        else:
            cursor.execute("SET synchronous_commit = off")
            cursor.execute("SET maintenance_work_mem = '1GB'")
            cursor.execute("SET work_mem = '256MB'")
        users = max(LEAST_USERS, size // PER_USER)
        make_users(users)
        with _without_indexes([Session._meta.db_table, DeniedToken._meta.db_table]):
            _insert_sessions(size, users=users, now=now)
            _insert_denials(size, users=users, spread=SPREAD, now=now)
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
    connection.close()  # The code that is timed opens its own, with the project's pragmas.


def analyze() -> None:
    """Update PostgreSQL's statistics, as autovacuum does within a minute."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def make_denials(count: int) -> None:
    """Insert denials from the last five minutes."""
    now = timezone.now()
    _insert_denials(count, users=LEAST_USERS, spread=timedelta(minutes=5), now=now)
    analyze()


def make_expired(count: int) -> None:
    """Insert expired denials and expired tokens of simplejwt."""
    now = timezone.now() - timedelta(days=2)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.execute("PRAGMA cache_size = -1000000")
        _insert_denials(count, users=LEAST_USERS, spread=timedelta(seconds=60), now=now)
        _insert_outstanding(count, expires_at=now + timedelta(days=1), now=now)
        # Autovacuum would have done this before rows get that old.
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
    connection.close()  # The code that is timed opens its own, with the project's pragmas.


def _insert_sessions(size: int, *, users: int, now: datetime) -> None:
    """Insert sessions as after SPREAD: half ended, most open ones are live, few keys signed."""
    instant, inet = _INSTANT[connection.vendor], _INET[connection.vendor]
    some_user = get_user_model()(password="!")
    named = (
        "id, user_id, generation, kid, auth_hash, started_at, refreshed_at, idle_until, expires_at, "
        "ended_at, end_reason, ip_address, user_agent, refreshed_ip_address, ended_ip_address"
    )
    defaults = {
        field.column: field.get_db_prep_save(field.get_default(), connection)
        for field in Session._meta.concrete_fields
        if field.column not in named.split(", ")
    }
    _run(
        f"""
        INSERT INTO tokens_session ({named}, {", ".join(defaults)})
        SELECT {_UUID[connection.vendor]}, user_id, generation,
            CASE WHEN open = 1 AND started > %(now)s - 40 * 86400 THEN %(kid)s
                ELSE 'former-key-' || (generation %% 3) END, %(auth_hash)s,
            {instant.format("started")}, {instant.format("refreshed")},
            {instant.format("refreshed + 14 * 86400")}, {instant.format("started + 90 * 86400")},
            CASE WHEN open = 0 THEN {instant.format("refreshed")} END,
            CASE WHEN open = 1 THEN '' WHEN chance < 80 THEN 'logout' WHEN chance < 90 THEN 'revoked'
                WHEN chance < 98 THEN 'password_changed' ELSE 'reuse' END,
            {inet.format("address")},
            'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
            {inet.format("address")},
            CASE WHEN open = 0 AND chance %% 4 = 0 THEN {inet.format("address")} END,
            {", ".join(f"%({column})s" for column in defaults)}
        FROM (
            SELECT u.id AS user_id, h %% 200 AS generation, h / 256 %% 100 AS chance,
                CASE WHEN h / 256 %% 100 < 50 THEN 1 ELSE 0 END AS open,
                %(now)s - age AS started,
                %(now)s - age + CASE WHEN age < 70 * 86400 THEN age ELSE 70 * 86400 END
                    * (h / 65536 %% 1000) / 1000.0 AS refreshed,
                CASE WHEN h / 64 %% 100 = 7 THEN '{BUSY_ADDRESS}' ELSE '10.' || (h / 16777216)
                    || '.' || (h / 65536 %% 256) || '.' || (h / 256 %% 256) END AS address
            FROM (
                SELECT n.i, {_MIXED} AS h, (%(last)s - n.i) * (%(spread)s / %(last)s) AS age FROM n
            ) m
            JOIN bench_user u ON u.i = CASE WHEN h / 32 %% 100 = 3 THEN 0 ELSE m.i * 7919 %% {users} END
        ) s
        """,
        last=size,
        now=int(now.timestamp()),
        spread=SPREAD.total_seconds(),
        kid=keyring.signing_key().kid,
        auth_hash=some_user.get_session_auth_hash(),
        **defaults,
    )


def _insert_denials(size: int, *, users: int, spread: timedelta, now: datetime) -> None:
    instant = _INSTANT[connection.vendor]
    _run(
        f"""
        INSERT INTO tokens_deniedtoken (value, kind, user_id, reason, denied_at, until, nonce)
        SELECT {_ID[connection.vendor]} || CASE WHEN i %% 100 = 0 THEN '.3a' ELSE '' END,
            CASE WHEN i %% 100 = 0 THEN 'jti' ELSE 'sid' END, user_id, 'revoked',
            {instant.format("denied")}, {instant.format("denied + 3660")}, i * 7919
        FROM (
            SELECT n.i, u.id AS user_id, %(now)s - (%(last)s - n.i) * (%(spread)s / %(last)s) AS denied
            FROM n JOIN bench_user u ON u.i = n.i * 7919 %% {users}
        ) d
        """,
        last=size,
        now=int(now.timestamp()),
        spread=spread.total_seconds(),
    )


def _insert_outstanding(size: int, *, expires_at: datetime, now: datetime) -> None:
    _run(
        f"""
        INSERT INTO token_blacklist_outstandingtoken (user_id, jti, token, created_at, expires_at)
        SELECT u.id, {_ID[connection.vendor]}, 'a token', %(now)s, %(until)s
        FROM n JOIN bench_user u ON u.i = n.i %% {LEAST_USERS}
        """,
        last=size,
        now=connection.ops.adapt_datetimefield_value(now),
        until=connection.ops.adapt_datetimefield_value(expires_at),
    )
    # Without statistics, PostgreSQL may compare each row of one table with each of the other.
    analyze()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO token_blacklist_blacklistedtoken (token_id, blacklisted_at)
            SELECT id, created_at FROM token_blacklist_outstandingtoken o WHERE token = 'a token'
            AND NOT EXISTS (SELECT 1 FROM token_blacklist_blacklistedtoken b WHERE b.token_id = o.id)
            """
        )


def _run(sql: str, *, last: int, **parameters: Any) -> None:
    insert, select = sql.split("SELECT", 1)
    numbers = _NUMBERS[connection.vendor]
    if connection.vendor == "sqlite":
        statement = f"{numbers} {insert} SELECT {select}"
    else:
        statement = f"{insert} {numbers} SELECT {select}"
    with connection.cursor() as cursor:
        cursor.execute(statement, {"first": 1, "last": last, **parameters})


@contextmanager
def _without_indexes(tables: list[str]) -> Iterator[None]:
    """Drop the indexes and foreign keys, and recreate them afterwards from their definitions."""
    take, give = [], []
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            found = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql > '' AND tbl_name = %s"
            for table in tables:
                for name, sql in cursor.execute(found, [table]).fetchall():
                    take.append(f'DROP INDEX "{name}"')
                    give.append(sql)
        else:
            for table in tables:
                cursor.execute(
                    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint c WHERE contype IN "
                    "('p', 'u', 'f') AND conrelid = %s::regclass AND NOT EXISTS (SELECT 1 FROM "
                    "pg_constraint r WHERE r.confrelid = c.conrelid) ORDER BY contype = 'f'",
                    [table],
                )
                constraints = cursor.fetchall()
                cursor.execute(
                    "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i "
                    "WHERE indrelid = %s::regclass AND NOT EXISTS "
                    "(SELECT 1 FROM pg_constraint WHERE conindid = i.indexrelid)",
                    [table],
                )
                for name, sql in cursor.fetchall():
                    take.append(f"DROP INDEX {name}")
                    give.append(sql)
                for name, definition in constraints:
                    take.append(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
                    give.append(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
        for statement in take:
            cursor.execute(statement)
        with connection.constraint_checks_disabled():
            yield
        for statement in give:
            cursor.execute(statement)

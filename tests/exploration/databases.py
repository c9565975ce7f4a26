"""What the exploration needs of a database: reset it, read it, and find out which connection waits for which."""

import re
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection, transaction

from tokens.models import DeniedToken, PruneRun, Session, SigningKey

_WRITES = ("INSERT", "UPDATE", "DELETE", "BEGIN")
_TABLE = re.compile(r'(?:FROM|INTO|UPDATE|JOIN) "(?:\w+_)?(\w+)"')
_COLUMN = re.compile(r'"(\w+)" = ')

Rows = dict[str, list[tuple[Any, ...]]]


SESSIONS = Session._meta.db_table
SESSION_COLUMNS = [field.column for field in Session._meta.concrete_fields]


def _tables() -> dict[str, str]:
    """Return the tables that hold a scenario, with their columns; a table follows those it refers to."""
    models: tuple[Any, ...] = (get_user_model(), SigningKey, Session, DeniedToken, PruneRun)
    return {
        model._meta.db_table: ", ".join(f'"{f.column}"' for f in model._meta.concrete_fields)
        for model in models
    }


def read() -> Rows:
    """Return what is committed in the tables of a scenario."""
    rows: Rows = {}
    with connection.cursor() as cursor:
        for table, columns in _tables().items():
            cursor.execute(f"SELECT {columns} FROM {table}")
            rows[table] = sorted(cursor.fetchall(), key=repr)
    return rows


def content(rows: Rows) -> Any:
    """Return what the rows say. What is random in denials says nothing, nor how they are numbered."""
    denials = DeniedToken._meta
    said = [
        place for place, f in enumerate(denials.concrete_fields) if f.name not in ("id", "nonce")
    ]
    rows_of_denials = ([row[place] for place in said] for row in rows[denials.db_table])
    return {**rows, denials.db_table: sorted(rows_of_denials, key=repr)}


def write(rows: Rows) -> None:
    """Let the tables hold exactly these rows, and number new denials after them."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in reversed(rows):
            cursor.execute(f"DELETE FROM {table}")
        for table, columns in _tables().items():
            places = ", ".join(["%s"] * len(columns.split(", ")))
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows[table])
        table = DeniedToken._meta.db_table
        last = max((row[0] for row in rows[table]), default=999)
        if connection.vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
        else:  # PostgreSQL only
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, last])


def vacuum() -> None:
    """Remove the rows that many resets have left behind on PostgreSQL."""
    if connection.vendor == "postgresql":  # PostgreSQL only
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM {', '.join(_tables())}")


def backend_pid(used: Any) -> int:
    return used.connection.info.backend_pid if used.vendor == "postgresql" else 0


def blockers(pid: int) -> set[int]:
    """Return the connections for whose locks this one waits, as PostgreSQL says."""
    if connection.vendor == "sqlite":
        return set()
    with connection.cursor() as cursor:  # PostgreSQL only
        cursor.execute("SELECT pg_blocking_pids(%s)", [pid])
        return set(cursor.fetchone()[0])


def cancel(pid: int) -> None:  # PostgreSQL only
    """Let the statement fail that waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_cancel_backend(%s)", [pid])


def waits_for_writers(sql: str, *, in_transaction: bool) -> bool:
    """Return whether SQLite would let the statement wait while another connection writes."""
    return connection.vendor == "sqlite" and not in_transaction and sql.startswith(_WRITES)


def describe(sql: str) -> str:
    """Return the statement in a few words: its verb, its tables, and the columns that it sets."""
    tables = sorted(set(_TABLE.findall(sql)))
    if not tables:
        return sql.split(' "')[0][:60]
    words = [sql.split()[0], " and ".join(tables)]
    if sql.startswith("UPDATE"):
        words.append(f"({', '.join(_COLUMN.findall(sql.partition(' WHERE ')[0]))})")
    if "FOR UPDATE" in sql:
        words.append("FOR UPDATE")
    return " ".join(words)

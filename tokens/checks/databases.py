"""Databases that cannot keep what the app promises, by themselves or because of a router."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, connections, router

from ..conf import conf
from ..database.engines import refusal
from ..models import DeniedToken, Session, SigningKey, ThrottleCount

# The project may keep the app at any dotted path.
APP = __name__.removesuffix(".checks.databases")


def check_engine(*, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """
    Report databases of other engines, where this app's tables are or would be created.

    ``migrate`` passes the database that it is for, and stops at an error.
    """
    asked = {alias for alias in databases or () if router.allow_migrate_model(alias, Session)}
    reasons = [
        refusal(connections[alias]) for alias in sorted({*asked, router.db_for_write(Session)})
    ]
    return [
        Error(
            reason,
            hint="Use one of these, or keep the tables out of this database by the allow_migrate() of "
            "a database router.",
            id="tokens.E024",
        )
        for reason in filter(None, reasons)
    ]


def check_database(**kwargs: Any) -> list[CheckMessage]:
    """Report a database in which an answer could come before, or without, its commit."""
    alias = router.db_for_write(Session)
    messages: list[CheckMessage] = []
    if not connections[alias].settings_dict["AUTOCOMMIT"]:
        messages.append(
            Error(
                f"AUTOCOMMIT is False for the database {alias!r}: Django does not know when a "
                "revocation is committed. Every function that ends a session raises RuntimeError.",
                hint="Remove AUTOCOMMIT from DATABASES, and use django.db.transaction.atomic() "
                "or ATOMIC_REQUESTS.",
                id="tokens.E023",
            )
        )
    decides: list[Any] = [DeniedToken, Session, SigningKey, ThrottleCount, get_user_model()]
    if any(router.db_for_read(model) != router.db_for_write(model) for model in decides):
        messages.append(
            Warning(
                "A database router reads sessions, denials, keys, limits or users from another "
                "database than it writes them to: a revoked token is accepted, and a new password "
                "refused, until the replica has caught up.",
                hint=f'Put "{APP}.routers.PrimaryRouter" before it in DATABASE_ROUTERS.',
                id="tokens.W020",
            )
        )
    return messages


def check_atomic_requests(**kwargs: Any) -> list[CheckMessage]:
    """Warn if each request of snapshot mode runs in a transaction that sees the past."""
    database = connections[router.db_for_write(DeniedToken)]
    is_possible = database.vendor == "postgresql" or not database.settings_dict["ATOMIC_REQUESTS"]
    if conf.TOKENS_DENYLIST_MODE != "snapshot" or is_possible:
        return []
    return [
        Warning(
            "ATOMIC_REQUESTS runs each request in a transaction, in which the snapshot cannot be "
            "updated: most requests run the query of strict mode.",
            hint='Set TOKENS_DENYLIST_MODE to "strict", or ATOMIC_REQUESTS to False.',
            id="tokens.W021",
        )
    ]


def check_sequence(**kwargs: Any) -> list[CheckMessage]:
    """Warn if rows of the denylist come in another order than their numbers: asks the database."""
    database: Any = connections[router.db_for_write(DeniedToken)]
    if database.vendor != "postgresql" or conf.TOKENS_DENYLIST_MODE != "snapshot":
        return []
    table = DeniedToken._meta.db_table  # PostgreSQL only
    try:  # PostgreSQL only
        cached = _cached_numbers(database, table)
    except DatabaseError:  # PostgreSQL only
        return []  # check_signing_keys reports it.
    if cached == 1:  # PostgreSQL only
        return []
    return [  # PostgreSQL only
        Warning(
            f"The sequence of {table}.id hands out {cached} numbers at a time to each connection. The "
            "rows come in another order than their numbers, so each process often reads the whole "
            "denylist anew.",
            hint=f"Run ALTER TABLE {table} ALTER COLUMN id SET CACHE 1.",
            id="tokens.W023",
        )
    ]


def _cached_numbers(database: Any, table: str) -> int:  # PostgreSQL only
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT seqcache FROM pg_sequence "
            "WHERE seqrelid = pg_get_serial_sequence(%s, 'id')::regclass",
            [database.ops.quote_name(table)],
        )
        found = cursor.fetchone()
    return int(found[0]) if found else 1

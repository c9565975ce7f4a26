"""How Django connects to the database of the site."""

from typing import Any

from .database_file import OwnersConnection


def with_options(database: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of DATABASES with the options for its engine."""
    if database["ENGINE"] == "django.db.backends.sqlite3":
        return _sqlite(database)
    return {
        **database,
        "OPTIONS": {
            # The number of executions before a statement is prepared; None: never. Django's own
            # queries are never prepared, so this affects only those of
            # tokens/database/compiled_sql.py.
            "prepare_threshold": 5,
            **database.get("OPTIONS", {}),
            "pool": {"min_size": 1, "max_size": 10, "timeout": 3},  # per process; seconds
            # How long to wait for a host that does not answer: seconds, and then milliseconds.
            "connect_timeout": 3,
            "tcp_user_timeout": 10_000,
        },
    }


def _sqlite(database: dict[str, Any]) -> dict[str, Any]:
    return {
        **database,
        # Keep a thread's connection: opening one costs more than a request's query, and writes
        # files beside the database, which fails when the disk is full.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # Writers queue at their BEGIN. With a deferred BEGIN they fail with "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,  # seconds
            "factory": OwnersConnection,
            # FULL: a confirmed revocation survives a power cut, in WAL mode too. A page cache of
            # 16 MB holds the upper levels of the indexes of ten million rows; SQLite's default
            # does not.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
            "PRAGMA cache_size=-16000;",
        },
    }

"""
Running one statement many times: where PostgreSQL may prepare it, it is planned once.

Planning takes PostgreSQL longer than running the look does. psycopg prepares a statement when
it comes again and again, if the connection's ``prepare_threshold`` allows that, and if it leaves
the parameters to the server, which Django's own cursors do only by an option for all queries.
"""

from logging import getLogger
from typing import Any

from django.db import DatabaseError

logger = getLogger("tokens")

# The statement is not there, or there already: a pooler put another server connection beneath.
# Or the columns it brings were altered since. (Class 26, 42P05 and 0A000 of PostgreSQL's errors.)
_NOT_AS_PREPARED = {"26000", "42P05", "0A000"}


def fetch_row(connection: Any, sql: str, parameters: dict[str, Any]) -> Any:
    """Return the one row that ``sql`` finds, or None."""
    connection.ensure_connection()
    driver = connection.connection
    if connection.vendor != "postgresql" or getattr(driver, "prepare_threshold", None) is None:
        with connection.cursor() as cursor:
            return _row(cursor, sql, parameters)
    try:
        with _binding_cursor(connection) as cursor:
            return _row(cursor, sql, parameters)
    except DatabaseError as error:
        if connection.in_atomic_block or _sqlstate(error) not in _NOT_AS_PREPARED:
            raise
        logger.warning("no statement is prepared on this connection any more: %s", error)
        driver.prepare_threshold = None
        return fetch_row(connection, sql, parameters)


def _row(cursor: Any, sql: str, parameters: dict[str, Any]) -> Any:
    cursor.execute(sql, parameters)
    return cursor.fetchone()


def _binding_cursor(connection: Any) -> Any:
    from django.db.backends.postgresql.base import ServerBindingCursor  # type: ignore[attr-defined]

    # As connection.cursor() does, with the cursor class of the option server_side_binding.
    with connection.wrap_database_errors:
        return connection._prepare_cursor(ServerBindingCursor(connection.connection))


def _sqlstate(error: DatabaseError) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)

"""
SQL that the ORM writes once for a connection, to be run many times with other values.

The ORM takes ten times longer to write a statement than a database to run it. So it is given placeholders
in the places of what differs, and the SQL is kept; where the placeholders do not stand in it as expected,
the statement goes through the ORM each time.

Planning takes PostgreSQL longer than running, too. psycopg prepares a statement when it comes again
and again, if the connection's ``prepare_threshold`` allows that, and if it leaves the parameters to
the server, which Django's own cursors do only by an option for all queries.
"""

import threading
from collections.abc import Callable, Mapping
from logging import getLogger
from typing import Any, TypeVar, cast

from django.db import DatabaseError, connections

logger = getLogger("tokens")

Made = TypeVar("Made")

# The statement is not there, or there already: a pooler put another server connection beneath.
# Or the columns it brings were altered since. (26000, 42P05 and 0A000 of PostgreSQL's errors.)
_NOT_AS_PREPARED = {"26000", "42P05", "0A000"}


class CannotCompile(Exception):
    """What the ORM wrote has another form than is known here how to fill in."""


class Statement:
    """
    One statement for one connection. Raises CannotCompile when it is made.

    ``placeholders`` stand in ``parameters`` in the places of values of the same names; ``to_database``
    tells for some of them how a value becomes a parameter, as the model's fields do.
    """

    def __init__(
        self,
        connection: Any,
        sql: str,
        parameters: Any,
        *,
        placeholders: Mapping[str, Any],
        to_database: Mapping[str, Callable[[Any, Any], Any]],
    ) -> None:
        self.connection = connection
        self._to_database = dict(to_database)
        parts = sql.split("%s")
        if len(parts) != len(parameters) + 1:
            raise CannotCompile(f"{len(parts) - 1} places for {len(parameters)} parameters.")
        names = self._names(parameters, placeholders)
        # With names: the other style Django rewrites for SQLite at each run, by a slow regular
        # expression.
        self._sql = parts[0] + "".join(
            f"%({name})s{part}" for name, part in zip(names, parts[1:], strict=True)
        )
        self._constant = {
            name: value
            for name, value in zip(names, parameters, strict=True)
            if name not in placeholders
        }

    def fetch_row(self, **values: Any) -> Any:
        """Return the one row that the statement finds, or None."""
        return self._run(self._filled(values), lambda cursor: cursor.fetchone())

    def count_rows(self, **values: Any) -> int:
        """Run it, and return how many rows it changed."""
        return int(self._run(self._filled(values), lambda cursor: cursor.rowcount))

    def _names(self, parameters: Any, placeholders: Mapping[str, Any]) -> list[str]:
        by_placeholder = {
            name: self._prepared(name, placeholder) for name, placeholder in placeholders.items()
        }
        names = []
        for place, parameter in enumerate(parameters):
            named = [
                name
                for name, placeholder in by_placeholder.items()
                if _is_same(placeholder, parameter)
            ]
            names.append(named[0] if len(named) == 1 else f"constant_{place}")
        if sorted(name for name in names if name in placeholders) != sorted(placeholders):
            raise CannotCompile("Not every placeholder has its one place.")
        return names

    def _prepared(self, name: str, value: Any) -> Any:
        prepare = self._to_database.get(name)
        return prepare(value, self.connection) if prepare else value

    def _filled(self, values: dict[str, Any]) -> dict[str, Any]:
        for name, prepare in self._to_database.items():
            values[name] = prepare(values[name], self.connection)
        return self._constant | values

    def _run(self, parameters: dict[str, Any], read: Callable[[Any], Any]) -> Any:
        connection = self.connection
        connection.ensure_connection()
        driver = connection.connection
        if not _may_prepare(connection):
            with connection.cursor() as cursor:
                cursor.execute(self._sql, parameters)
                return read(cursor)
        try:
            with _binding_cursor(connection) as cursor:
                cursor.execute(self._sql, parameters)
                return read(cursor)
        except DatabaseError as error:
            if _sqlstate(error) not in _NOT_AS_PREPARED:
                raise
            logger.warning("no statement is prepared on this connection any more: %s", error)
            driver.prepare_threshold = None
            return self._run(parameters, read)


class _Thread(threading.local):
    """What was made for this thread's connections: what converts belongs to a connection."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, str], tuple[Any, Any]] = {}


_thread = _Thread()


def compiled_for_connection(alias: str, name: str, make: Callable[[Any], Made]) -> Made | None:
    """Return what ``make`` makes of the connection, made once; None where it cannot be made."""
    connection = connections[alias]
    known = _thread.made.get((alias, name))
    if known and known[0] is connection:
        return cast(Made, known[1])
    try:
        made = make(connection)
    except (CannotCompile, AttributeError, LookupError, TypeError, ValueError) as error:
        logger.warning("%s goes through the ORM: %s: %s", name, type(error).__name__, error)
        made = None
    _thread.made[alias, name] = (connection, made)
    return made


def _is_same(placeholder: Any, parameter: Any) -> bool:
    # True == 1 and 1 == 1.0 to Python, and not to a database.
    return type(placeholder) is type(parameter) and bool(placeholder == parameter)


def _may_prepare(connection: Any) -> bool:
    if connection.vendor != "postgresql" or connection.queries_logged:
        # A statement that is prepared has no text any more for Django's log of queries.
        return False
    if connection.in_atomic_block:
        # One that is not as prepared any more ends its transaction, and could not run again.
        return False
    return getattr(connection.connection, "prepare_threshold", None) is not None


def _binding_cursor(connection: Any) -> Any:
    from django.db.backends.postgresql.base import ServerBindingCursor  # type: ignore[attr-defined]

    # As connection.cursor() does, with the cursor class of the option server_side_binding.
    with connection.wrap_database_errors:
        return connection._prepare_cursor(ServerBindingCursor(connection.connection))


def _sqlstate(error: DatabaseError) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)

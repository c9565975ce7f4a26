"""
Compile a statement with the ORM once per database, and run it many times with other values.

Compiling a statement takes the ORM ten times longer than the database takes to run it. So the ORM
compiles it once, with placeholder values, and this module keeps the SQL. If the compiled SQL does not have
each placeholder in exactly one place, the caller uses the ORM each time.

On PostgreSQL, planning a statement also takes longer than running it. psycopg prepares a statement
that is run repeatedly, if the connection's ``prepare_threshold`` allows it and the server binds the
parameters. Django's own cursors let the server bind them only with an option for all queries, so
this module uses its own cursor.

psycopg names the statements of each connection alike. Behind a pooler that shares the server's
processes, such a name may be another program's statement, which then runs without an error. So
no statement is prepared unless the connection has a server process of its own.
"""

from collections.abc import Callable, Mapping
from logging import getLogger
from typing import Any, TypeVar, cast
from weakref import WeakSet

from django.db import DatabaseError, connections

from .raw_rows import ObjectMaker

logger = getLogger("tokens")


T = TypeVar("T")
# PostgreSQL's errors for a prepared statement that does not exist (26000) or exists already
# (42P05), because the project deallocated or prepared it by SQL; and for one whose result columns
# were altered since (0A000).
_PREPARED_STATEMENT_ERRORS = {"26000", "42P05", "0A000"}


class CannotCompile(Exception):
    """The compiled SQL does not have each placeholder in exactly one place."""


class Statement:
    """
    One compiled statement. The constructor raises CannotCompile.

    It was compiled by ``connection``, and runs on that which the current thread has to this database.
    ``placeholders`` maps each name to the value that was compiled into ``parameters``. When the
    statement runs, the value of that name takes its place. ``to_database`` maps some of the names
    to the function that makes a parameter of a value, such as a model field's ``get_db_prep_save``.
    Unless it ``may_be_prepared``, PostgreSQL plans the statement each time.
    """

    def __init__(
        self,
        connection: Any,
        sql: str,
        parameters: Any,
        *,
        placeholders: Mapping[str, Any],
        to_database: Mapping[str, Callable[[Any, Any], Any]],
        may_be_prepared: bool = True,
    ) -> None:
        self._alias = connection.alias
        self._may_be_prepared = may_be_prepared
        self._to_database = dict(to_database)
        parts = sql.split("%s")
        if len(parts) != len(parameters) + 1:
            raise CannotCompile(f"{len(parts) - 1} places for {len(parameters)} parameters.")
        names = self._parameter_names(connection, parameters, placeholders)
        # Named parameters, because Django rewrites "%s" for SQLite with a slow regular expression.
        self._sql = parts[0] + "".join(
            f"%({name})s{part}" for name, part in zip(names, parts[1:], strict=True)
        )
        self._constant = {
            name: value
            for name, value in zip(names, parameters, strict=True)
            if name not in placeholders
        }

    def fetch_row(self, **values: Any) -> Any:
        """Run the statement, and return the first row or None."""
        return self._run(values, lambda cursor: cursor.fetchone())

    def fetch_rows(self, **values: Any) -> list[Any]:
        """Run the statement, and return all rows."""
        return list(self._run(values, lambda cursor: cursor.fetchall()))

    def count_rows(self, **values: Any) -> int:
        """Run the statement, and return how many rows it changed."""
        return int(self._run(values, lambda cursor: cursor.rowcount))

    def _parameter_names(
        self, connection: Any, parameters: Any, placeholders: Mapping[str, Any]
    ) -> list[str]:
        by_placeholder = {
            name: self._as_parameter(connection, name, placeholder)
            for name, placeholder in placeholders.items()
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
            raise CannotCompile("Not every placeholder has exactly one place.")
        return names

    def _as_parameter(self, connection: Any, name: str, value: Any) -> Any:
        convert = self._to_database.get(name)
        return convert(value, connection) if convert else value

    def _run(self, values: dict[str, Any], read: Callable[[Any], Any]) -> Any:
        connection = connections[self._alias]
        for name, convert in self._to_database.items():
            values[name] = convert(values[name], connection)
        return self._execute(connection, self._constant | values, read)

    def _execute(
        self, connection: Any, parameters: dict[str, Any], read: Callable[[Any], Any]
    ) -> Any:
        if not self._may_be_prepared or not _can_prepare(connection):
            with connection.cursor() as cursor:
                cursor.execute(self._sql, parameters)
                return read(cursor)
        driver = connection.connection  # PostgreSQL only
        try:  # PostgreSQL only
            with _binding_cursor(connection) as cursor:
                cursor.execute(self._sql, parameters)
                return read(cursor)
        except DatabaseError as error:  # PostgreSQL only
            if _sqlstate(error) not in _PREPARED_STATEMENT_ERRORS:
                raise
            logger.warning("prepared statements are off for this connection from now on: %s", error)
            driver.prepare_threshold = None
            return self._execute(connection, parameters, read)


class CompiledRow:
    """
    One compiled SELECT of one row, with the functions by which the ORM makes an object of it.

    ``rows`` is the query, with a value of ``placeholders`` wherever one is to be replaced; the rest is
    as for ``Statement``.
    """

    def __init__(
        self,
        connection: Any,
        rows: Any,
        *,
        placeholders: Mapping[str, Any],
        to_database: Mapping[str, Callable[[Any, Any], Any]],
    ) -> None:
        compiler = rows.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        self._maker = ObjectMaker(connection, rows, compiler)
        self._statement = Statement(
            connection, sql, parameters, placeholders=placeholders, to_database=to_database
        )

    def fetch(self, **values: Any) -> tuple[Any, dict[str, Any]] | None:
        """Return the object with its related ones, and the annotations; None without a row."""
        found = self._statement.fetch_row(**values)
        return None if found is None else self._maker.make(found)

    def fetch_related(self, **values: Any) -> "RelatedRow | None":
        """Return the row without its object; None without a row."""
        found = self._statement.fetch_row(**values)
        return None if found is None else RelatedRow(self._maker, found)


class RelatedRow:
    """
    A row with its related objects. Its own object is made on demand.

    ``values`` are those of its columns, except its own keys and those of the related objects.
    """

    __slots__ = ("_found", "_maker", "annotations", "related", "values")

    def __init__(self, maker: ObjectMaker, found: Any) -> None:
        self._maker, self._found = maker, found
        self.related, self.values, self.annotations = maker.make_related(found)

    def make(self) -> Any:
        """Return the row's object, with the same related objects."""
        instance = self._maker.make_own(self._found)
        for name, one in self.related.items():
            setattr(instance, name, one)
        return instance


# By alias and name: what was compiled, and the settings of the database for which it was.
_compiled: dict[tuple[str, str], tuple[Any, Any]] = {}


def compiled_for_database(alias: str, name: str, make: Callable[[Any], T]) -> T | None:
    """
    Return ``make(connection)``, called once per database, or None if it cannot be compiled.

    ``name`` identifies the statement. All threads use what is returned: under ASGI each request may
    have a new thread, and so a new connection. A failure is logged once.
    """
    settings, made = _compiled.get((alias, name), (None, None))
    if settings is not connections.settings[alias]:
        made = _make(connections[alias], name, make)
        _compiled[alias, name] = (connections.settings[alias], made)
    return cast("T | None", made)


def _make(connection: Any, name: str, make: Callable[[Any], T]) -> T | None:
    try:
        return make(connection)
    except (CannotCompile, AttributeError, LookupError, TypeError, ValueError) as error:
        logger.warning("%s goes through the ORM: %s: %s", name, type(error).__name__, error)
        return None


def _is_same(placeholder: Any, parameter: Any) -> bool:
    # In Python True == 1 and 1 == 1.0; in a database they differ.
    return type(placeholder) is type(parameter) and bool(placeholder == parameter)


def _can_prepare(connection: Any) -> bool:
    if connection.vendor != "postgresql" or connection.queries_logged:
        # Django's query log cannot show the text of a prepared statement.
        return False
    if connection.in_atomic_block:  # PostgreSQL only
        # An error of a prepared statement aborts the transaction, so a second try would fail too.
        return False
    connection.ensure_connection()  # PostgreSQL only
    driver = connection.connection  # PostgreSQL only
    if getattr(driver, "prepare_threshold", None) is None:  # PostgreSQL only
        return False
    if driver in _unshared:  # PostgreSQL only
        return True
    if has_its_own_server_process(connection):  # PostgreSQL only
        _unshared.add(driver)
        return True
    driver.prepare_threshold = None  # PostgreSQL only
    return False  # PostgreSQL only


# psycopg's connections that have a server process of their own. It stays the same until they close.
_unshared: WeakSet[Any] = WeakSet()


def has_its_own_server_process(connection: Any) -> bool:  # PostgreSQL only
    """
    Return whether no pooler shares the server's processes among this open connection and others.

    A pooler gives each client a process id for cancelling (PostgreSQL's BackendKeyData message),
    which is not that of the server process: it may change with each transaction.
    """
    driver = connection.connection
    with connection.wrap_database_errors:
        # Without Django's cursor, so that it is not counted or logged as a request's query.
        (pid,) = driver.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    return bool(pid == driver.info.backend_pid)


def _binding_cursor(connection: Any) -> Any:  # PostgreSQL only
    from django.db.backends.postgresql.base import DatabaseWrapper, ServerBindingCursor  # type: ignore[attr-defined]

    of_django: Any = DatabaseWrapper
    if type(connection)._cursor is not of_django._cursor:
        # django-tenants sets the schema of the current tenant each time that it makes a cursor.
        connection.cursor().close()
    # Does what connection.cursor() does with the option server_side_binding.
    with connection.wrap_database_errors:
        return connection._prepare_cursor(ServerBindingCursor(connection.connection))


def _sqlstate(error: DatabaseError) -> str | None:  # PostgreSQL only
    return getattr(error.__cause__, "sqlstate", None)

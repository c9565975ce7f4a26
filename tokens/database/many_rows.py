"""
Read the rows of many keys by one statement, which the ORM compiles once per database.

The keys are one parameter, a JSON array, so the statement is the same for one key and for five hundred.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections
from django.db.models import Lookup

from .compiled_sql import Statement, compiled_for_database

_PLACEHOLDER = "00000000-0000-4000-8000-000000000000"  # Good for a text and for a UUID.


class AnyOf(Lookup):  # type: ignore[type-arg]
    """
    What ``__in`` says, with one parameter for all values: ``AnyOf(F("value"), keys, type="text")``.

    The keys are texts, as SQLite stores them. ``type`` is PostgreSQL's name of the column's type.
    """

    lookup_name = "any_of"
    prepare_rhs = False

    def __init__(self, lhs: Any, keys: Sequence[str], *, type: str) -> None:
        super().__init__(lhs, keys)
        self._type = type

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        lhs, parameters = self.process_lhs(compiler, connection)
        if connection.vendor == "postgresql":  # PostgreSQL only
            # As an array, so that PostgreSQL uses the index whatever it thinks of their number.
            array = f"ARRAY(SELECT jsonb_array_elements_text(%s::jsonb))::{self._type}[]"
            sql = f"{lhs} = ANY({array})"
        else:
            sql = f"{lhs} IN (SELECT value FROM json_each(%s))"  # noqa: S608  # A column of ours.
        return sql, [*parameters, json.dumps(self.rhs)]


class _Compiled:
    def __init__(self, connection: Any, rows: Any) -> None:
        self._compiler = rows.query.get_compiler(connection=connection)
        sql, parameters = self._compiler.as_sql()
        columns = [column for column, *_ in self._compiler.select]
        self._converters = self._compiler.get_converters(columns)
        self._statement = Statement(
            connection,
            sql,
            parameters,
            placeholders={"keys": json.dumps([_PLACEHOLDER])},
            to_database={},
            # The plan of a prepared statement stays the same while the tables grow: with hundreds of
            # keys, one that was good for small tables takes a thousand times longer.
            may_be_prepared=False,
        )

    def fetch(self, keys: Sequence[str]) -> list[tuple[Any, ...]]:
        found = self._statement.fetch_rows(keys=json.dumps(keys))
        if self._converters:
            found = [tuple(row) for row in self._compiler.apply_converters(found, self._converters)]
        return found


def fetch(
    rows: Callable[[Sequence[str]], Any], keys: Sequence[str], *, alias: str, name: str
) -> list[tuple[Any, ...]]:
    """
    Return ``list(rows(keys))``, the ``values_list`` of a query with one ``AnyOf(…, keys, …)``.

    ``rows`` is called once per database if its SQL can be compiled, and each time otherwise. ``name``
    identifies the statement.
    """
    compiled = compiled_for_database(
        alias, name, lambda connection: _Compiled(connection, rows([_PLACEHOLDER]))
    )
    return compiled.fetch(keys) if compiled else list(rows(keys))


def keys_of(uuids: Sequence[str], *, alias: str) -> list[str]:
    """Return UUIDs, given as texts with hyphens, as the database stores them, and as ``Cast`` returns them."""
    if connections[alias].features.has_native_uuid_field:  # PostgreSQL only
        return list(uuids)
    return [uuid.replace("-", "") for uuid in uuids]

"""Make the ORM's objects of rows as the driver returns them."""

from typing import Any

from django.db.models.query import get_related_populators  # type: ignore[attr-defined]


class ObjectMaker:
    """The functions by which the ORM makes an object of a row. ``compiler`` has compiled ``rows``."""

    def __init__(self, connection: Any, rows: Any, compiler: Any) -> None:
        self._connection = connection
        select, shape = compiler.select, compiler.klass_info
        fields = shape["select_fields"]
        self._model = rows.model
        self._own = slice(fields[0], fields[-1] + 1)
        self._attributes = [column.target.attname for column, *_ in select[self._own]]
        # Django 6.1 and newer require the mode in which the rows fetch deferred fields.
        modes = [rows._fetch_mode] if hasattr(rows, "_fetch_mode") else []
        self._related = get_related_populators(shape, select, connection.alias, *modes)
        self._annotations = compiler.annotation_col_map
        converters = compiler.get_converters([column for column, *_ in select])
        self._converters = [
            (position, convert, column)
            for position, (functions, column) in converters.items()
            for convert in functions
        ]

    def make(self, found: Any) -> tuple[Any, dict[str, Any]]:
        """Return the object with its related ones, and the annotations."""
        row = list(found)
        for position, convert, column in self._converters:
            row[position] = convert(row[position], column, self._connection)
        instance = self._model.from_db(self._connection.alias, self._attributes, row[self._own])
        for related in self._related:
            related.populate(row, instance)
        return instance, {name: row[position] for name, position in self._annotations.items()}

"""Make the ORM's objects of rows as the driver returns them."""

from typing import Any, Self

from django.db.models.query import get_related_populators  # type: ignore[attr-defined]


class ObjectMaker:
    """The functions by which the ORM makes an object of a row. ``compiler`` has compiled ``rows``."""

    def __init__(self, connection: Any, rows: Any, compiler: Any) -> None:
        self._connection = connection
        select, shape = compiler.select, compiler.klass_info
        fields = shape["select_fields"]
        self._model = rows.model
        self._own = slice(fields[0], fields[-1] + 1)
        own_fields = [column.target for column, *_ in select[self._own]]
        self._attributes = [field.attname for field in own_fields]
        self._values = {
            field.attname: at
            for at, field in enumerate(own_fields, start=fields[0])
            if not field.primary_key and not field.is_relation
        }
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
        keys = {*range(self._own.start, self._own.stop)} - {*self._values.values()}
        self._converters_but_of_keys = [one for one in self._converters if one[0] not in keys]

    def make(self, found: Any) -> tuple[Any, dict[str, Any]]:
        """Return the object with its related ones, and the annotations."""
        row = self._converted(found, self._converters)
        instance = self._own_object(row)
        for related in self._related:
            related.populate(row, instance)
        return instance, self._annotated(row)

    def make_own(self, found: Any) -> Any:
        """Return the object without its related ones."""
        return self._own_object(self._converted(found, self._converters))

    def make_related(self, found: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """
        Return the related objects, the row's own values but its keys, and the annotations.

        The row's own object is not made.
        """
        row = self._converted(found, self._converters_but_of_keys)
        absent = _Absent()
        for related in self._related:
            related.populate(row, absent)
        values = {name: row[position] for name, position in self._values.items()}
        return absent.fields_cache, values, self._annotated(row)

    def _converted(self, found: Any, converters: list[Any]) -> list[Any]:
        row = list(found)
        for position, convert, column in converters:
            row[position] = convert(row[position], column, self._connection)
        return row

    def _own_object(self, row: list[Any]) -> Any:
        return self._model.from_db(self._connection.alias, self._attributes, row[self._own])

    def _annotated(self, row: list[Any]) -> dict[str, Any]:
        return {name: row[position] for name, position in self._annotations.items()}


class _Absent:
    """Takes the related objects in place of the row's object, in whose ``_state`` Django keeps them."""

    def __init__(self) -> None:
        self.fields_cache: dict[str, Any] = {}

    @property  # An attribute would be a cycle, which only Python's collector could free.
    def _state(self) -> Self:
        return self

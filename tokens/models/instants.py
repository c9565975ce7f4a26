"""The field for an instant, which is aware in Python and UTC on SQLite, whatever USE_TZ is."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from django.db import models
from django.utils import timezone

Set = TypeVar("Set", contravariant=True)
Get = TypeVar("Get", covariant=True)

if TYPE_CHECKING:

    class _DateTimeField(models.DateTimeField[Set, Get]): ...

else:

    class _DateTimeField(models.DateTimeField):
        def __class_getitem__(cls, types: Any) -> Any:
            return cls  # Fields are not generic at run time.


class InstantField(_DateTimeField[Set, Get]):
    """
    A ``DateTimeField`` whose values are aware.

    In a project without USE_TZ, Django reads and writes local times without a zone. SQLite then
    refuses an aware value, and the hour that comes twice when a clock is set back is ambiguous. With
    a TIME_ZONE in DATABASES, SQLite stores local times as well.

    Nothing differs from ``DateTimeField`` where Django reads and writes UTC: with USE_TZ and no
    TIME_ZONE in DATABASES.
    """

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        # As in DateTimeField, and not by super(), which would cost each value another call.
        if not prepared:
            value = self.get_prep_value(value)
        if value is not None and connection.timezone is not UTC:
            value = _as_stored(value, connection)
        return connection.ops.adapt_datetimefield_value(value)

    def get_db_converters(self, connection: Any) -> list[Any]:
        converters: list[Any] = super().get_db_converters(connection)  # type: ignore[misc]  # The stub lacks it.
        return converters if connection.timezone is UTC else [*converters, _as_read]


def _as_stored(value: datetime, connection: Any) -> datetime:
    """Return the value to be written. As for Django, a naive one is in the project's TIME_ZONE."""
    if timezone.is_naive(value):
        value = timezone.make_aware(value, timezone.get_default_timezone())
    if connection.features.supports_timezones:
        return value  # PostgreSQL only
    return value.astimezone(UTC).replace(tzinfo=None)


def _as_read(value: datetime | None, expression: Any, connection: Any) -> datetime | None:
    """Return the instant of a value that the database returned, in UTC."""
    if value is None:
        return None
    if not connection.features.supports_timezones:
        # The column holds UTC, whatever zone Django took it for.
        return value.replace(tzinfo=UTC)
    if value.tzinfo is None:  # PostgreSQL only
        # Local time in the zone of the connection. psycopg sets ``fold`` the second time that an
        # hour comes.
        value = value.replace(tzinfo=ZoneInfo(connection.timezone_name))
    return value.astimezone(UTC)  # PostgreSQL only

"""The one conditional UPDATE that decides who rotates a refresh token, written once."""

from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import router, transaction
from django.db.models import F, QuerySet
from django.db.models.sql import UpdateQuery

from .models import Session
from .statement import Statement, once_for

_MARKS: dict[str, Any] = {
    "pk": UUID("00000000-0000-4000-8000-000000000000"),
    "generation": 2_000_000_011,
    "kid": "the place of the kid",
    "refreshed_at": datetime(2001, 1, 1, tzinfo=UTC),
    "refreshed_ip_address": "192.0.2.251",
    "idle_until": datetime(2002, 2, 2, tzinfo=UTC),
}


def rotate(pk: UUID, generation: int, **columns: Any) -> bool:
    """
    Move the row on from ``generation``, with new ``columns``; False if it has moved on, or ended.

    Its row count says who won: there is no reading before it.
    """
    alias = router.db_for_write(Session)
    statement = once_for(alias, "a rotation", _compile)
    if statement is None:
        return rotate_through_orm(pk, generation, **columns)
    with transaction.mark_for_rollback_on_error(using=alias):
        return bool(statement.count_rows(pk=pk, generation=generation, **columns))


def rotate_through_orm(pk: UUID, generation: int, **columns: Any) -> bool:
    """Answer as ``rotate`` does, in the ORM's own time."""
    return bool(_row(pk, generation).update(**_changes(columns)))


def _row(pk: UUID, generation: int) -> QuerySet[Session]:
    return Session.objects.filter(pk=pk, generation=generation, ended_at=None)


def _changes(columns: dict[str, Any]) -> dict[str, Any]:
    return {"generation": F("generation") + 1, **columns}


def _compile(connection: Any) -> Statement:
    columns = {name: mark for name, mark in _MARKS.items() if name not in {"pk", "generation"}}
    query: Any = _row(_MARKS["pk"], _MARKS["generation"]).query.chain(UpdateQuery)
    query.add_update_values(_changes(columns))
    sql, parameters = query.get_compiler(connection=connection).as_sql()
    return Statement(
        connection,
        sql,
        parameters,
        marks=_MARKS,
        to_database={name: partial(_to_database, name) for name in _MARKS},
    )


def _to_database(name: str, value: Any, connection: Any) -> Any:
    field: Any = Session._meta.pk if name == "pk" else Session._meta.get_field(name)
    return field.get_db_prep_save(value, connection)

"""
The one query of a request: the session, its user, and the denylist's answer.

The ORM writes it once for each connection, with marks in the places of the ids; from then on the
same SQL runs with other ids, and its rows become model instances by the ORM's own means, whatever
AUTH_USER_MODEL is. Where the ORM writes something in which the marks do not stand as expected,
the query goes through the ORM each time.
"""

import threading
from collections.abc import Callable
from logging import getLogger
from typing import Any
from uuid import UUID

from django.db import connections, router
from django.db.models import QuerySet
from django.db.models.query import get_related_populators  # type: ignore[attr-defined]

from tokens import denylist
from tokens.codec import Claims, TokenType
from tokens.models import Session

logger = getLogger("tokens")

_MARKS = Claims(
    type=TokenType.ACCESS,
    kid="the place of the kid",
    iss="",
    aud="",
    sub="",
    iat=0,
    exp=0,
    jti="the place of the jti",
    sid=UUID("00000000-0000-4000-8000-000000000000"),
)


class CannotCompile(Exception):
    """The ORM's answer has another form than this module knows how to fill in."""


def find(claims: Claims) -> tuple[Session, bool] | None:
    """
    Return the session of ``claims`` with its user, and whether one of its ids is denied.

    None where there is no such session.
    """
    alias = router.db_for_read(Session)
    compiled = _compiled_for(alias)
    return compiled.find(claims) if compiled else find_through_orm(claims, alias=alias)


def find_through_orm(claims: Claims, *, alias: str) -> tuple[Session, bool] | None:
    """Answer as ``find`` does, in the ORM's own time."""
    session: Any = next(iter(_rows(claims, alias=alias)), None)
    return None if session is None else (session, bool(session.denied))


def _rows(claims: Claims, *, alias: str) -> QuerySet[Session]:
    rows = Session.objects.using(alias).select_related("user")
    return rows.annotate(denied=denylist.denied(claims)).filter(pk=claims.sid).order_by()


class Compiled:
    """The query as it is for one connection. Raises CannotCompile when it is made."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        rows = _rows(_MARKS, alias=connection.alias)
        compiler = rows.query.get_compiler(connection=connection)
        self._sql, parameters = compiler.as_sql()
        select, shape = compiler.select, compiler.klass_info
        fields = shape["select_fields"]
        self._session = slice(fields[0], fields[-1] + 1)
        self._attributes = [column.target.attname for column, *_ in select[self._session]]
        self._related = get_related_populators(shape, select, connection.alias)
        self._denied = compiler.annotation_col_map["denied"]
        converters = compiler.get_converters([column for column, *_ in select])
        self._converters = [
            (position, convert, column)
            for position, (functions, column) in converters.items()
            for convert in functions
        ]
        self._parameters = list(parameters)
        self._to_sid: Callable[[Any, Any], Any] = Session._meta.pk.get_db_prep_value
        self._places = [self._place_of(mark) for mark in self._ids(_MARKS)]

    def find(self, claims: Claims) -> tuple[Session, bool] | None:
        parameters = self._parameters.copy()
        for place, value in zip(self._places, self._ids(claims), strict=True):
            parameters[place] = value
        with self.connection.cursor() as cursor:
            cursor.execute(self._sql, parameters)
            found = cursor.fetchone()
        if found is None:
            return None
        row = list(found)
        for position, convert, column in self._converters:
            row[position] = convert(row[position], column, self.connection)
        session = Session.from_db(self.connection.alias, self._attributes, row[self._session])
        for related in self._related:
            related.populate(row, session)
        return session, bool(row[self._denied])

    def _ids(self, claims: Claims) -> tuple[Any, ...]:
        return (*denylist.ids_of(claims), self._to_sid(claims.sid, self.connection))

    def _place_of(self, mark: Any) -> int:
        places = [place for place, value in enumerate(self._parameters) if value == mark]
        if len(places) != 1:
            raise CannotCompile(f"{len(places)} places for one id.")
        return places[0]


class _Thread(threading.local):
    """What this thread's connections compiled: converters belong to a connection."""

    def __init__(self) -> None:
        self.compiled: dict[str, tuple[Any, Compiled | None]] = {}


_thread = _Thread()


def _compiled_for(alias: str) -> Compiled | None:
    connection = connections[alias]
    known = _thread.compiled.get(alias)
    if known and known[0] is connection:
        return known[1]
    try:
        compiled = Compiled(connection)
    except (CannotCompile, AttributeError, KeyError, TypeError, IndexError) as error:
        logger.warning("each look goes through the ORM: %s: %s", type(error).__name__, error)
        compiled = None
    _thread.compiled[alias] = (connection, compiled)
    return compiled

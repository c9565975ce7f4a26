"""
The one query of a request: the session, its user, and the denylist's answer.

The ORM writes it once for each connection, with marks in the places of the ids; from then on the
same SQL runs with other ids, and its rows become model instances by the ORM's own means, whatever
AUTH_USER_MODEL is. Where the ORM writes something in which the marks do not stand as expected,
the query goes through the ORM each time.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from logging import getLogger
from typing import Any
from uuid import UUID

from django.db import connections, router
from django.db.models import QuerySet
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators  # type: ignore[attr-defined]

from tokens import denylist
from tokens.codec import Claims, TokenType
from tokens.models import Session

from .statement import fetch_row

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


# What an access token is judged by. A refresh needs the whole row.
_JUDGED_BY = {"id", "user", "auth_hash", "expires_at", "ended_at", "end_reason"}


class CannotCompile(Exception):
    """The ORM's answer has another form than this module knows how to fill in."""


def find(claims: Claims) -> tuple[Session, bool] | None:
    """
    Return the session of ``claims`` with its user, and whether one of its ids is denied.

    None where there is no such session. For an access token the session comes without the columns
    that do not judge it; they are loaded when they are asked for.
    """
    alias = router.db_for_read(Session)
    compiled = _compiled_for(alias, claims.type)
    return compiled.find(claims) if compiled else find_through_orm(claims, alias=alias)


def find_through_orm(claims: Claims, *, alias: str) -> tuple[Session, bool] | None:
    """Answer as ``find`` does, in the ORM's own time."""
    session: Any = next(iter(_rows(claims, alias=alias)), None)
    return None if session is None else (session, bool(session.denied))


def _rows(claims: Claims, *, alias: str) -> QuerySet[Session]:
    rows = Session.objects.using(alias).select_related("user")
    if claims.type is TokenType.ACCESS:
        columns = {field.name for field in Session._meta.concrete_fields}
        rows = rows.defer(*(columns - _JUDGED_BY))
    return rows.annotate(denied=denylist.denied(claims)).filter(pk=claims.sid).order_by()


class Compiled:
    """
    The query as it is for one connection and type of token.

    Raises CannotCompile when it is made.
    """

    def __init__(self, connection: Any, type: TokenType) -> None:
        self.connection = connection
        rows = _rows(replace(_MARKS, type=type), alias=connection.alias)
        compiler = rows.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        self._sql = _with_names(sql, len(parameters))
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
        self._parameters = dict(zip(_names(len(parameters)), parameters, strict=True))
        self._to_sid: Callable[[Any, Any], Any] = Session._meta.pk.get_db_prep_value
        self._places = [self._place_of(mark) for mark in self._ids(_MARKS)]

    def find(self, claims: Claims) -> tuple[Session, bool] | None:
        parameters = self._parameters.copy()
        parameters.update(zip(self._places, self._ids(claims), strict=True))
        found = fetch_row(self.connection, self._sql, parameters)
        if found is None:
            return None
        row = list(found)
        for position, convert, column in self._converters:
            row[position] = convert(row[position], column, self.connection)
        session = self._session_of(row)
        for related in self._related:
            related.populate(row, session)
        return session, bool(row[self._denied])

    def _session_of(self, row: list[Any]) -> Session:
        # As Model.from_db does, less what a model of this app has no use for: signals, a loop over
        # fifteen fields.
        session = Session.__new__(Session)
        session._state = ModelState()
        session._state.db, session._state.adding = self.connection.alias, False
        vars(session).update(zip(self._attributes, row[self._session], strict=True))
        return session

    def _ids(self, claims: Claims) -> tuple[Any, ...]:
        return (*denylist.ids_of(claims), self._to_sid(claims.sid, self.connection))

    def _place_of(self, mark: Any) -> str:
        places = [place for place, value in self._parameters.items() if value == mark]
        if len(places) != 1:
            raise CannotCompile(f"{len(places)} places for one id.")
        return places[0]


def _names(count: int) -> list[str]:
    return [f"p{place}" for place in range(count)]


def _with_names(sql: str, count: int) -> str:
    # Django rewrites the other style for SQLite at each execution, by a slow regular expression.
    parts = sql.split("%s")
    if len(parts) != count + 1:
        raise CannotCompile(f"{len(parts) - 1} places for {count} parameters.")
    return parts[0] + "".join(
        f"%({name})s{part}" for name, part in zip(_names(count), parts[1:], strict=True)
    )


class _Thread(threading.local):
    """What this thread's connections compiled: converters belong to a connection."""

    def __init__(self) -> None:
        self.compiled: dict[tuple[str, TokenType], tuple[Any, Compiled | None]] = {}


_thread = _Thread()


def _compiled_for(alias: str, type: TokenType) -> Compiled | None:
    connection = connections[alias]
    known = _thread.compiled.get((alias, type))
    if known and known[0] is connection:
        return known[1]
    try:
        compiled = Compiled(connection, type)
    except (CannotCompile, AttributeError, KeyError, TypeError, IndexError) as error:
        logger.warning("each look goes through the ORM: %s: %s", error.__class__.__name__, error)
        compiled = None
    _thread.compiled[alias, type] = (connection, compiled)
    return compiled

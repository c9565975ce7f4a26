"""
The one query of a request: the session, its user, and whether the denylist has one of the ids.

The SQL is compiled once per connection. The ORM's own functions turn its rows into model instances,
so it works with any AUTH_USER_MODEL.
"""

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from django.db import router
from django.db.models import QuerySet
from django.db.models.query import get_related_populators  # type: ignore[attr-defined]

from .. import denylist
from ..compiled_sql import Statement, compiled_for_connection
from ..jose import Claims, TokenType
from ..models import Session
from .eligibility import hides_users, is_visible

_PLACEHOLDERS = Claims(
    type=TokenType.ACCESS,
    kid="placeholder for the kid",
    iss="",
    aud="",
    sub="placeholder for the sub",
    iat=0,
    exp=0,
    jti="placeholder for the jti",
    sid=UUID("00000000-0000-4000-8000-000000000000"),
)

# The columns that decide about an access token. A refresh needs the whole row.
_DECISIVE_COLUMNS = {
    "id",
    "user",
    "auth_hash",
    "expires_at",
    "ended_at",
    "end_reason",
    "first_generation",
    "seen",
}


def find(claims: Claims) -> tuple[Session, bool] | None:
    """
    Return the session of ``claims`` with its user, and whether one of the claims' ids is denied.

    None if the session does not exist or the default manager hides its user. For an access token
    the columns that do not decide about it are deferred: Django loads each of them on first access.
    """
    alias = router.db_for_read(Session)
    if hides_users():
        # The manager decides anew at each call, for example by the current tenant.
        return find_through_orm(claims, alias=alias)
    compiled = compiled_for_connection(alias, *_COMPILE[claims.type])
    return compiled.find(claims) if compiled else find_through_orm(claims, alias=alias)


def find_through_orm(claims: Claims, *, alias: str) -> tuple[Session, bool] | None:
    """Return what ``find`` returns, with SQL that the ORM compiles for each call."""
    session: Any = next(iter(_rows(claims, alias=alias)), None)
    return None if session is None else (session, bool(session.denied))


def _rows(claims: Claims, *, alias: str) -> QuerySet[Session]:
    rows = Session.objects.using(alias).select_related("user")
    if claims.type is TokenType.ACCESS:
        columns = {field.name for field in Session._meta.concrete_fields}
        rows = rows.defer(*(columns - _DECISIVE_COLUMNS))
    if hides_users():
        rows = rows.filter(is_visible())
    denied = denylist.denied(claims.ids, or_else=denylist.is_cut_off(claims.sub))
    return rows.annotate(denied=denied).filter(pk=claims.sid).order_by()


class CompiledQuery:
    """The query for one connection and one token type, with the converters of its columns."""

    def __init__(self, connection: Any, type: TokenType) -> None:
        self.connection = connection
        rows = _rows(replace(_PLACEHOLDERS, type=type), alias=connection.alias)
        compiler = rows.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
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
        self._statement = Statement(
            connection,
            sql,
            parameters,
            placeholders=_values(_PLACEHOLDERS),
            to_database={"pk": Session._meta.pk.get_db_prep_value},
        )

    def find(self, claims: Claims) -> tuple[Session, bool] | None:
        found = self._statement.fetch_row(**_values(claims))
        if found is None:
            return None
        row = list(found)
        for position, convert, column in self._converters:
            row[position] = convert(row[position], column, self.connection)
        session = Session.from_db(self.connection.alias, self._attributes, row[self._session])
        for related in self._related:
            related.populate(row, session)
        return session, bool(row[self._denied])


_COMPILE = {
    type: (f"the query for {type}", partial(CompiledQuery, type=type)) for type in TokenType
}


def _values(claims: Claims) -> dict[str, Any]:
    jti, sid, kid = claims.ids
    _, cut_off = denylist.cut_off_values(claims.sub)
    return {"jti": jti, "sid": sid, "kid": kid, "cut_off": cut_off, "pk": claims.sid}

"""
The one query of a request: the session, its user, and whether the denylist has one of the ids.

The SQL is compiled once per database, see ``compiled_sql``.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cached_property, partial
from typing import Any
from uuid import UUID

from django.db import router
from django.db.models import QuerySet

from .. import denylist
from ..database.compiled_sql import CompiledRow, RelatedRow, compiled_for_database
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
DECISIVE_COLUMNS = frozenset(
    {
        "id",
        "user",
        "auth_hash",
        "expires_at",
        "ended_at",
        "end_reason",
        "first_generation",
        "seen",
    }
)


class Decisive:
    """
    What decides about an access token: these columns of its session, and the user.

    The object of the session is made when it is asked for. Its constructor goes through all columns,
    deferred ones too, which would take a tenth of the time of an authentication.
    """

    user: Any
    auth_hash: str
    expires_at: datetime
    ended_at: datetime | None
    end_reason: str
    first_generation: int
    seen: bool
    _make: Callable[[], Session]

    def __init__(self, pk: UUID, row: RelatedRow) -> None:
        self.__dict__.update(row.values)
        self.pk, self.user, self._make = pk, row.related["user"], row.make

    @cached_property
    def session(self) -> Session:
        """The session. The columns that do not decide are deferred: Django loads each when asked."""
        return self._make()


def find(claims: Claims) -> tuple[Decisive | Session, bool] | None:
    """
    Return what decides about the claims with the user, and whether one of their ids is denied.

    None if the session does not exist or the default manager hides its user.
    """
    alias = router.db_for_read(Session)
    if hides_users():
        # The manager decides anew at each call, for example by the current tenant.
        return find_through_orm(claims, alias=alias)
    compiled = compiled_for_database(alias, *_COMPILE[claims.type])
    return compiled.find(claims) if compiled else find_through_orm(claims, alias=alias)


def is_compiled() -> bool:
    """Return whether requests run a query that was compiled once, where the user manager lets them."""
    if hides_users():
        return True
    alias = router.db_for_read(Session)
    return compiled_for_database(alias, *_COMPILE[TokenType.ACCESS]) is not None


def find_through_orm(claims: Claims, *, alias: str) -> tuple[Session, bool] | None:
    """Return what ``find`` returns, with SQL that the ORM compiles for each call."""
    session: Any = next(iter(_rows(claims, alias=alias)), None)
    return None if session is None else (session, bool(session.denied))


def with_users(
    type: TokenType, *, alias: str, columns: frozenset[str] = DECISIVE_COLUMNS
) -> QuerySet[Session]:
    """Return the sessions with those of their users that the default manager does not hide."""
    rows = Session.objects.using(alias).select_related("user")
    if type is TokenType.ACCESS:
        all_columns = {field.name for field in Session._meta.concrete_fields}
        rows = rows.defer(*(all_columns - columns))
    return rows.filter(is_visible()) if hides_users() else rows


def _rows(claims: Claims, *, alias: str) -> QuerySet[Session]:
    rows = with_users(claims.type, alias=alias)
    denied = denylist.denied(claims.ids, or_else=denylist.is_cut_off(claims.sub))
    return rows.annotate(denied=denied).filter(pk=claims.sid).order_by()


class CompiledQuery:
    """The query for one database and one token type."""

    def __init__(self, connection: Any, type: TokenType) -> None:
        self._row = CompiledRow(
            connection,
            _rows(replace(_PLACEHOLDERS, type=type), alias=connection.alias),
            placeholders=_values(_PLACEHOLDERS),
            to_database={"pk": Session._meta.pk.get_db_prep_value},
        )

    def find(self, claims: Claims) -> tuple[Decisive | Session, bool] | None:
        if claims.type is TokenType.ACCESS:
            row = self._row.fetch_related(**_values(claims))
            if row is None:
                return None
            return Decisive(claims.sid, row), bool(row.annotations["denied"])
        found = self._row.fetch(**_values(claims))
        if found is None:
            return None
        session, annotations = found
        return session, bool(annotations["denied"])


_COMPILE = {
    type: (f"the query for {type}", partial(CompiledQuery, type=type)) for type in TokenType
}


def _values(claims: Claims) -> dict[str, Any]:
    jti, sid, kid = claims.ids
    _, cut_off = denylist.cut_off_values(claims.sub)
    return {"jti": jti, "sid": sid, "kid": kid, "cut_off": cut_off, "pk": claims.sid}

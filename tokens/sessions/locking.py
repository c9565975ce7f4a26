"""
Read the user of a sign-in again, locked, with what else decides about it: one statement.

The SQL is compiled once per database (see ``compiled_sql``).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import router
from django.db.models import Value

from .. import denylist
from ..conf import conf
from ..database.compiled_sql import CompiledRow, compiled_for_database
from ..errors import UserGone
from ..models import Session, fetch_uncached
from . import limit
from .eligibility import hides_users, locked_row

_USER: Any = Session._meta.get_field("user")
# Annotations of the user.
_CUT_OFF = "_tokens_cut_off"
_MANY = "_tokens_has_many_sessions"


@dataclass(frozen=True, slots=True)
class LockedUser:
    """A user as the database has them now, locked until the transaction ends."""

    user: Any
    # The instant of the latest cut-off that concerns the user.
    cut_off: datetime | None
    # Whether the user may have as many sessions as TOKENS_SESSIONS_PER_USER allows.
    may_have_many: bool


def lock_for_sign_in(user: Any) -> LockedUser:
    """
    Return the user as the database has them now, locked until the transaction ends.

    A change of the password or of is_active waits, or has come first. Raises UserGone.
    """
    alias = router.db_for_write(_USER.related_model)
    # A manager that hides users decides anew at each call, for example by the current tenant.
    compiled = None if hides_users() else compiled_for_database(alias, _name(), _CompiledLock)
    found = compiled.find(user.pk) if compiled else find_through_orm(user.pk)
    if found is None:
        raise UserGone(f"User {user.pk} no longer exists.")
    return found


def find_through_orm(pk: Any) -> LockedUser | None:
    """Return the user with this key, or None, with SQL that the ORM compiles for each call."""
    for user in fetch_uncached(_rows(pk)):
        return LockedUser(user, getattr(user, _CUT_OFF), bool(getattr(user, _MANY)))
    return None


def _rows(pk: Any) -> Any:
    return locked_row(pk).annotate(
        **{_CUT_OFF: denylist.latest_cut_off(), _MANY: limit.may_be_reached()}
    )


def _name() -> str:
    # The limit is a constant of the SQL.
    return f"the lock of a user with up to {conf.TOKENS_SESSIONS_PER_USER} sessions"


class _Placeholder:
    """Stands for the user's key. A key of the user's type could equal another parameter."""


def _as_parameter(pk: Any, connection: Any) -> Any:
    if isinstance(pk, _Placeholder):
        return pk
    return _USER.related_model._meta.pk.get_db_prep_value(pk, connection)


class _CompiledLock:
    """The query for one database. Made in a transaction, because it locks."""

    def __init__(self, connection: Any) -> None:
        placeholder = _Placeholder()
        self._row = CompiledRow(
            connection,
            _rows(Value(placeholder)),
            placeholders={"pk": placeholder},
            to_database={"pk": _as_parameter},
        )

    def find(self, pk: Any) -> LockedUser | None:
        found = self._row.fetch(pk=pk)
        if found is None:
            return None
        user, annotations = found
        return LockedUser(user, annotations[_CUT_OFF], bool(annotations[_MANY]))

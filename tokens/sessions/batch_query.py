"""
What ``query`` finds for one token, for many: their sessions and users.

What decides about a token can also be read as texts, without objects. As long as they are the same,
nothing needs to be decided anew.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast

from ..database import many_rows
from ..jose import Claims, TokenType
from ..models import Session
from .eligibility import hides_users
from .query import DECISIVE_COLUMNS, with_users

Texts = tuple[Any, ...]

# A cut-off compares the time at which the session began.
_COLUMNS = DECISIVE_COLUMNS - {"seen"} | {"started_at"}
# What decides if ``depends_on_columns_only()`` and ``depends_on_password_only()``. The key is the first.
_DECIDES = ("id", *sorted(_COLUMNS - {"id"}), "user__is_active", "user__password")
_TEXTS = {f"text_of_{name}": Cast(F(name), TextField()) for name in _DECIDES}


def find_texts(many: Sequence[Claims], *, alias: str) -> list[Texts | None]:
    """Return for each token what decides about it, by one statement; None without a row."""
    keys = _keys(many, alias)
    rows = partial(_texts, alias)
    if hides_users():
        # The manager decides anew at each call, for example by the current tenant.
        found = list(rows(keys))
    else:
        name = "the query for many sessions"
        found = many_rows.fetch(rows, keys, alias=alias, name=name)
    by_key = {row[0]: row for row in found}
    return [by_key.get(key) for key in keys]


def find_sessions(
    many: Sequence[Claims], *, alias: str, with_texts: bool
) -> list[tuple[Session, Texts] | None]:
    """Return for each token its session with the user, and what ``find_texts`` finds, likewise."""
    keys = _keys(many, alias)
    texts = _TEXTS if with_texts else {}
    rows = _rows(alias, keys).annotate(**texts)
    by_pk = {row.pk: (row, tuple(getattr(row, name) for name in texts)) for row in rows}
    return [by_pk.get(claims.sid) for claims in many]


def _keys(many: Sequence[Claims], alias: str) -> list[str]:
    return many_rows.keys_of([sid for _, sid, _ in (claims.ids for claims in many)], alias=alias)


def _texts(alias: str, keys: Sequence[str]) -> QuerySet[Session, Any]:
    return _rows(alias, keys).annotate(**_TEXTS).values_list(*_TEXTS)


def _rows(alias: str, keys: Sequence[str]) -> QuerySet[Session]:
    wanted = many_rows.AnyOf(F("pk"), keys, type="uuid")
    rows = with_users(TokenType.ACCESS, alias=alias, columns=_COLUMNS)
    return rows.filter(wanted).order_by()

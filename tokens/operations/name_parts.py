"""
Find users by a part of their name, through an index only.

The beginning of a name is a range of the index on it. PostgreSQL needs an index for LIKE, which
Django creates beside that of a unique text column; with an index of pg_trgm, the part may be
anywhere in the name. Without such an index nothing is found, as the table would be read whole.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections
from django.db.models import Q

from ..database.places import PerPlace
from ..models import is_text, normalise_username, username_field

MAX_USERS = 20
SHORTEST_PART = 3  # characters: an index of pg_trgm knows three at once
_HIGHEST = "\U0010ffff"

# "begins" or "contains" for each place on PostgreSQL, or an empty text without an index.
_lookups: PerPlace[dict[str, str]] = PerPlace(dict)


def find_by_part(term: str) -> tuple[list[Any], bool]:
    """
    Return at most MAX_USERS users, and whether these are all.

    Their names begin with ``term``: as it was typed, in lower case, or with a capital letter.
    """
    users = get_user_model()._default_manager.all()
    field = username_field()
    term = normalise_username(term.strip())
    if not term or "\0" in term or not is_text(field):
        return [], True
    condition = _condition(users.db, field, term)
    if condition is None:
        return [], True
    # Not ordered by the query: for the order, a planner may walk through another index instead.
    found = list(users.filter(condition)[: MAX_USERS + 1])
    shown = sorted(found[:MAX_USERS], key=lambda user: str(user.get_username()))
    return shown, len(found) <= MAX_USERS


def _condition(alias: str, field: Any, term: str) -> Q | None:
    spellings = dict.fromkeys((term, term.lower(), term.capitalize()))
    lookup = _lookup(alias, field)
    if lookup == "contains" and len(term) < SHORTEST_PART:
        return None  # PostgreSQL only
    if not lookup:
        return None  # PostgreSQL only
    condition = Q()
    for spelling in spellings:
        condition |= _one(field.name, lookup, spelling)
    return condition


def _one(name: str, lookup: str, spelling: str) -> Q:
    match lookup:
        case "range":  # Django's startswith is a LIKE, for which SQLite uses no index.
            return Q(**{f"{name}__gte": spelling, f"{name}__lt": spelling + _HIGHEST})
        case "begins":  # PostgreSQL only
            return Q(**{f"{name}__startswith": spelling})
        case _:  # PostgreSQL only
            return Q(**{f"{name}__contains": spelling})


def _lookup(alias: str, field: Any) -> str:
    if connections[alias].vendor != "postgresql":
        return "range" if field.unique or field.db_index else ""
    known = _lookups.of(get_user_model())  # PostgreSQL only
    if alias not in known:  # PostgreSQL only
        known[alias] = _look_up(alias, field)
    return known[alias]  # PostgreSQL only


def _look_up(alias: str, field: Any) -> str:  # PostgreSQL only
    """Return what the indexes on the column can find."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.opcname FROM pg_index i JOIN pg_opclass o ON o.oid = i.indclass[0] "
            "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
            "WHERE i.indrelid = %s::regclass AND a.attname = %s AND i.indpred IS NULL AND i.indisvalid",
            [connection.ops.quote_name(field.model._meta.db_table), field.column],
        )
        classes = {name for (name,) in cursor.fetchall()}
    if classes & {"gin_trgm_ops", "gist_trgm_ops"}:
        return "contains"
    return "begins" if classes & {"varchar_pattern_ops", "text_pattern_ops"} else ""


def forget() -> None:
    """Look for the indexes again."""
    _lookups.forget()

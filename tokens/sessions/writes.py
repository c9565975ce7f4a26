"""
Insert and rotate a session's row, with SQL that is compiled once per database.

Each function uses the ORM instead where the SQL cannot be compiled (see ``compiled_sql``).
"""

from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import router, transaction
from django.db.models import Case, F, QuerySet, When
from django.db.models.functions import Greatest
from django.db.models.signals import post_save, pre_save
from django.db.models.sql import InsertQuery, UpdateQuery

from ..database.compiled_sql import Statement, compiled_for_database
from ..models import Session, SessionKind

_PLACEHOLDERS: dict[str, Any] = {
    "id": UUID("00000000-0000-4000-8000-000000000000"),
    "generation": 2_000_000_011,
    "proven_generation": 2_000_000_012,
    "kid": "placeholder for the kid",
    "auth_hash": "placeholder for the auth hash",
    "status_index": "placeholder for the status index",
    "known_hash": "placeholder for the auth hash that was read",
    "late_since": datetime(2000, 5, 5, tzinfo=UTC),
    "started_at": datetime(2001, 1, 1, tzinfo=UTC),
    "refreshed_at": datetime(2002, 2, 2, tzinfo=UTC),
    "idle_until": datetime(2003, 3, 3, tzinfo=UTC),
    "expires_at": datetime(2004, 4, 4, tzinfo=UTC),
    "ip_address": "192.0.2.251",
    "user_agent": "placeholder for the user agent",
    "refreshed_ip_address": "192.0.2.252",
    "refreshed_user_agent": "placeholder for the user agent of the refresh",
}
_INSERTED = _PLACEHOLDERS.keys() - {"known_hash", "late_since", "proven_generation"}
# What a rotation writes besides the generation.
ROTATED = (
    "proven_generation",
    "kid",
    "auth_hash",
    "refreshed_at",
    "refreshed_ip_address",
    "refreshed_user_agent",
    "idle_until",
)


def insert(session: Session) -> None:
    """
    Insert the row of a new session, as ``save(force_insert=True)`` does.

    Calls ``save`` if there are receivers of ``pre_save`` or ``post_save``.
    """
    alias = router.db_for_write(Session, instance=session)
    # Few sessions have claims, a lifetime of their own or another kind; the statement has defaults.
    is_usual = (
        not session.claims and session.idle_lifetime is None and session.kind == SessionKind.PAIR
    )
    has_receivers = pre_save.has_listeners(Session) or post_save.has_listeners(Session)
    # This user's key is the placeholder, because users' primary keys can have any type.
    make = partial(_compile_insert, user_id=session.user_id)
    statement = (
        None if has_receivers or not is_usual else compiled_for_database(alias, "a sign-in", make)
    )
    if statement is None:
        session.save(force_insert=True, using=alias)
        return
    values = {name: getattr(session, name) for name in (*_INSERTED, "user_id")}
    with transaction.mark_for_rollback_on_error(using=alias):
        statement.count_rows(**values)
    session._state.adding, session._state.db = False, alias


def rotate(
    pk: UUID, generation: int, known_hash: str, *, late_since: datetime, **columns: Any
) -> bool:
    """
    Set the row's next generation and ``columns``; return whether this call did.

    An answer with the former pair that was given at ``late_since`` or later may still be on its way.

    The row is unchanged if it is no longer at ``generation``, has ended, or has another auth hash
    than ``known_hash``: then a sign-in has stored a better hash of the password meanwhile. The
    UPDATE's row count decides which of several callers wins, so the row is not read before.
    """
    alias = router.db_for_write(Session)
    statement = compiled_for_database(alias, "a rotation", _compile_rotation)
    if statement is None:
        return rotate_through_orm(pk, generation, known_hash, late_since=late_since, **columns)
    key = {"id": pk, "generation": generation, "known_hash": known_hash}
    with transaction.mark_for_rollback_on_error(using=alias):
        return bool(statement.count_rows(**key, late_since=late_since, **columns))


def rotate_through_orm(
    pk: UUID, generation: int, known_hash: str, *, late_since: datetime, **columns: Any
) -> bool:
    """Return what ``rotate`` returns, with SQL that the ORM compiles for each call."""
    row = _row(pk, generation).filter(auth_hash=known_hash)
    return bool(row.update(**_changes(columns, late_since)))


def count_repeat(pk: UUID, generation: int, *, elsewhere: bool, now: datetime) -> bool:
    """
    Record on the row that its current pair was given again at ``now``.

    Return False, and record nothing, if the row is no longer at ``generation``.
    """
    row = Session.objects.filter(pk=pk, generation=generation)
    return bool(row.update(repeated_at=now, **_one_repeat_more(elsewhere)))


def count_shown(pk: UUID, *, elsewhere: bool) -> bool:
    """Count on the row, whatever its generation, that a superseded token was shown to ``verify``."""
    return bool(Session.objects.filter(pk=pk).update(**_one_repeat_more(elsewhere)))


def note_proof(pk: UUID, generation: int) -> None:
    """Note that a successor came first while the row was at ``generation``, if it still is."""
    _row(pk, generation).filter(proven_generation=0).update(proven_generation=generation)


def restart_grace(pk: UUID, generation: int, *, now: datetime, **columns: Any) -> None:
    """Let the grace of a generation that is still the current one begin at ``now``."""
    _row(pk, generation).update(refreshed_at=now, **columns)


def _row(pk: UUID, generation: int) -> QuerySet[Session]:
    return Session.objects.filter(pk=pk, generation=generation, ended_at=None)


def _one_repeat_more(elsewhere: bool) -> dict[str, Any]:
    return {
        "repeats": F("repeats") + 1,
        "repeats_elsewhere": F("repeats_elsewhere") + int(elsewhere),
    }


def _changes(columns: dict[str, Any], late_since: datetime) -> dict[str, Any]:
    is_late_answer_possible = Case(When(repeated_at__gte=late_since, then=True), default=False)
    return {
        "generation": F("generation") + 1,
        "seen": False,
        "is_late_answer_possible": is_late_answer_possible,
        "repeated_at": None,
        **columns,
        # Another caller may have noted a proof since the row was read.
        "proven_generation": Greatest(F("proven_generation"), columns["proven_generation"]),
    }


def _compile_insert(connection: Any, *, user_id: Any) -> Statement:
    placeholders = {name: _PLACEHOLDERS[name] for name in _INSERTED} | {"user_id": user_id}
    query: Any = InsertQuery(Session)
    query.insert_values(Session._meta.concrete_fields, [Session(**placeholders)])
    ((sql, parameters),) = query.get_compiler(connection=connection).as_sql()
    return _statement(connection, sql, parameters, placeholders)


def _compile_rotation(connection: Any) -> Statement:
    columns = {name: _PLACEHOLDERS[name] for name in ROTATED}
    key = {name: _PLACEHOLDERS[name] for name in ("id", "generation", "known_hash")}
    row = _row(key["id"], key["generation"]).filter(auth_hash=key["known_hash"])
    query: Any = row.query.chain(UpdateQuery)
    late_since = _PLACEHOLDERS["late_since"]
    query.add_update_values(_changes(columns, late_since))
    sql, parameters = query.get_compiler(connection=connection).as_sql()
    placeholders = {**key, **columns, "late_since": late_since}
    return _statement(connection, sql, parameters, placeholders)


def _statement(
    connection: Any, sql: str, parameters: Any, placeholders: dict[str, Any]
) -> Statement:
    to_database = {
        field.attname: field.get_db_prep_save
        for field in Session._meta.concrete_fields
        if field.attname in placeholders
    }
    if "late_since" in placeholders:
        repeated_at = Session._meta.get_field("repeated_at")
        to_database["late_since"] = repeated_at.get_db_prep_save
    return Statement(
        connection, sql, parameters, placeholders=placeholders, to_database=to_database
    )

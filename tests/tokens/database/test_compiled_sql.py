"""SQL that is compiled once does the same as the ORM, and what cannot be compiled is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_save, pre_save
from django.test.utils import CaptureQueriesContext

from tokens import sessions
from tokens.database import compiled_sql
from tokens.database.compiled_sql import CannotCompile, Statement, compiled_for_connection
from tokens.models import EndReason, Session
from tokens.sessions import writes

NOW = datetime(2030, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
COLUMNS = {
    "kid": "another key",
    "proven_generation": 1,
    "auth_hash": "another hash",
    "refreshed_at": NOW + timedelta(minutes=7),
    "refreshed_ip_address": "2001:db8::7",
    "refreshed_user_agent": "another browser",
    "idle_until": NOW + timedelta(days=14),
}


@pytest.mark.django_db
@pytest.mark.parametrize("repeated", [NOW, NOW - timedelta(seconds=1), None])
@pytest.mark.parametrize("address", ["2001:db8::7", None])
@pytest.mark.parametrize(
    ("generation", "ended", "is_there", "wins"),
    [
        (0, False, True, True),
        (1, False, True, False),
        (0, True, True, False),
        (0, False, False, False),
    ],
)
def test_the_rotation_does_as_the_orm_does(
    user: Any,
    address: str | None,
    repeated: datetime | None,
    generation: int,
    ended: bool,
    is_there: bool,
    wins: bool,
) -> None:
    results, stored = [], []
    for rotate in (writes.rotate, writes.rotate_through_orm):
        session = sessions.start(user, now=NOW).session
        others = sessions.start(user, now=NOW).session
        if ended:
            sessions.end([session], reason=EndReason.LOGOUT, now=NOW)
        pk = session.pk if is_there else uuid4()
        Session.objects.filter(pk=pk).update(repeated_at=repeated)
        columns = COLUMNS | {"refreshed_ip_address": address}
        results.append(rotate(pk, generation, session.auth_hash, late_since=NOW, **columns))
        row = Session.objects.filter(pk=session.pk).values().get()
        assert Session.objects.get(pk=others.pk).generation == 0
        stored.append({name: value for name, value in row.items() if name != "id"})
    assert results == [wins, wins]
    assert stored[0] == stored[1]
    assert (stored[0]["generation"], stored[0]["kid"] == "another key") == (int(wins), wins)
    assert stored[0]["is_late_answer_possible"] == (wins and repeated == NOW)


def beginning(user: Any, **changes: Any) -> Session:
    columns = {
        "user": user,
        "kid": "a key",
        "auth_hash": "a hash",
        "started_at": NOW,
        "refreshed_at": NOW,
        "idle_until": NOW + timedelta(days=14),
        "expires_at": NOW + timedelta(days=90),
        "ip_address": "2001:db8::7",
        "refreshed_ip_address": "2001:db8::7",
        "user_agent": "Firefox 100% %s é",
    }
    return Session(**columns | changes)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"generation": 7},
        {"ip_address": None, "refreshed_ip_address": None, "user_agent": ""},
        {"ip_address": "192.0.2.7", "refreshed_ip_address": "::ffff:192.0.2.8"},
    ],
)
def test_a_sign_in_writes_what_the_orm_writes(user: Any, changes: dict[str, Any]) -> None:
    ours, theirs = beginning(user, **changes), beginning(user, **changes)
    theirs.save(force_insert=True)
    with CaptureQueriesContext(connection) as captured:
        writes.insert(ours)
    assert len(captured) == 1
    mine, others = (Session.objects.filter(pk=one.pk).values().get() for one in (ours, theirs))
    assert mine | {"id": theirs.pk} == others
    assert (ours._state.adding, ours._state.db) == (False, "default")


@pytest.mark.django_db
def test_the_row_of_a_sign_in_is_written_once(user: Any) -> None:
    session = beginning(user)
    writes.insert(session)
    with pytest.raises(IntegrityError), transaction.atomic():
        writes.insert(session)
    assert Session.objects.filter(pk=session.pk).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("signal", [pre_save, post_save])
def test_receivers_of_djangos_signals_hear_of_a_sign_in(user: Any, signal: Any) -> None:
    heard = []

    def receiver(instance: Session, **kwargs: Any) -> None:
        heard.append(instance)

    signal.connect(receiver, sender=Session)
    try:
        pair = sessions.start(user)
    finally:
        signal.disconnect(receiver, sender=Session)
    sessions.start(user)
    assert heard == [pair.session]


@pytest.mark.django_db
def test_a_sign_in_that_cannot_be_compiled_goes_through_the_orm(
    user: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compiled_sql, "_cache", compiled_sql._ThreadCache())
    monkeypatch.setattr(writes, "InsertQuery", None)
    pair = sessions.start(user)
    assert sessions.authenticate(pair.raw_access).user == user
    assert "a sign-in goes through the ORM" in caplog.text


@pytest.mark.django_db
def test_a_rotation_that_cannot_be_compiled_goes_through_the_orm(
    user: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compiled_sql, "_cache", compiled_sql._ThreadCache())
    monkeypatch.setattr(writes, "UpdateQuery", None)
    pair = sessions.start(user)
    with CaptureQueriesContext(connection) as captured:
        assert sessions.refresh(pair.raw_refresh).session.generation == 1
    assert len(captured) == 2
    assert "a rotation goes through the ORM" in caplog.text


@pytest.mark.django_db
@pytest.mark.skipif(
    connection.vendor == "postgresql", reason="its connection keeps the time zone it began with"
)
def test_without_time_zones_people_sign_in_and_refresh(
    django_user_model: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite then refuses a placeholder value with a time zone."""
    settings.USE_TZ = False
    monkeypatch.setattr(compiled_sql, "_cache", compiled_sql._ThreadCache())
    pair = sessions.start(django_user_model.objects.create_user("ada"))
    assert sessions.authenticate(sessions.refresh(pair.raw_refresh).raw_access)


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("SELECT %s", []),
        ("SELECT %s", ["something else"]),
        ("SELECT %s, %s", ["mark", "mark"]),
        ("SELECT 1", []),
    ],
)
def test_marks_that_do_not_stand_where_they_should_are_refused(
    sql: str, parameters: list[Any]
) -> None:
    with pytest.raises(CannotCompile):
        Statement(connection, sql, parameters, placeholders={"it": "mark"}, to_database={})


def test_a_mark_is_not_taken_for_a_constant_that_equals_it() -> None:
    made = Statement(connection, "SELECT %s, %s", [True, 1], placeholders={"it": 1}, to_database={})
    assert made._constant == {"constant_0": True}


@pytest.mark.django_db
def test_a_percent_sign_in_the_sql_stays_one() -> None:
    made = Statement(
        connection, "SELECT '100%%', %s", ["m"], placeholders={"it": "m"}, to_database={}
    )
    assert tuple(made.fetch_row(it="x%s")) == ("100%", "x%s")


class Compiled:
    """Stands for what was compiled."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def for_connection(self, connection: Any) -> "Compiled":
        return Compiled(connection)


@pytest.mark.django_db
def test_another_connection_gets_a_statement_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is compiled once, and again if the connection has other settings."""
    monkeypatch.setattr(compiled_sql, "_cache", compiled_sql._ThreadCache({}))
    made: list[Any] = []

    def make(of: Any) -> Compiled:
        made.append(of)
        return Compiled(of)

    one, again = (compiled_for_connection("default", "a test", make) for _ in range(2))
    assert one is again
    assert one is not None
    for settings, count in ((connection.settings_dict, 1), ({}, 2)):
        compiled_sql._cache.compiled.clear()
        compiled_sql._cache.first["default", "a test"] = (settings, Compiled(None))
        other = compiled_for_connection("default", "a test", make)
        assert other is not None
        assert (other.connection.alias, len(made)) == ("default", count)


def test_what_cannot_be_compiled_is_logged_once_for_all_connections(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compiled_sql, "_cache", compiled_sql._ThreadCache({}))

    def make(of: Any) -> Compiled:
        raise CannotCompile("never")

    for _ in range(2):
        compiled_sql._cache.compiled.clear()
        assert compiled_for_connection("default", "a test", make) is None
    assert caplog.text.count("never") == 1

"""SQL that is compiled once does the same as the ORM, and what cannot be compiled is refused."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.db.models.signals import post_save, pre_save
from django.test.utils import CaptureQueriesContext

from tokens import sessions
from tokens.database import compiled_sql
from tokens.database.compiled_sql import CannotCompile, Statement, compiled_for_database
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
    monkeypatch.setattr(compiled_sql, "_compiled", {})
    monkeypatch.setattr(writes, "InsertQuery", None)
    pair = sessions.start(user)
    assert sessions.authenticate(pair.raw_access).user == user
    assert "a sign-in goes through the ORM" in caplog.text


@pytest.mark.django_db
def test_a_rotation_that_cannot_be_compiled_goes_through_the_orm(
    user: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compiled_sql, "_compiled", {})
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
    monkeypatch.setattr(compiled_sql, "_compiled", {})
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


@pytest.mark.django_db(transaction=True)
def test_all_threads_run_the_same_statement_on_their_own_connections(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request under ASGI has a new thread, and so a new connection."""
    monkeypatch.setattr(compiled_sql, "_compiled", {})
    pair = sessions.start(user)
    together = threading.Barrier(3)

    def authenticate() -> tuple[int, int]:
        together.wait(20)
        with CaptureQueriesContext(connections["default"]) as captured:
            found = sessions.authenticate(pair.raw_access)
        try:
            assert found.session.pk == pair.session.pk
            return len(captured), threading.get_ident()
        finally:
            connections.close_all()

    sessions.authenticate(pair.raw_access)
    compiled = dict(compiled_sql._compiled)
    with ThreadPoolExecutor(3) as pool:
        results = [call.result() for call in [pool.submit(authenticate) for _ in range(3)]]
    assert [queries for queries, _ in results] == [1, 1, 1]
    assert len({thread for _, thread in results}) == 3
    assert compiled_sql._compiled == compiled
    # A thread's connection refuses to be used by another.
    assert sessions.authenticate(pair.raw_access).session.pk == pair.session.pk


def test_a_statement_is_compiled_once_for_each_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is compiled again if the database of the alias has other settings."""
    monkeypatch.setattr(compiled_sql, "_compiled", {})
    made: list[Any] = []

    def make(of: Any) -> int:
        made.append(of)
        return len(made)

    assert [compiled_for_database("default", "a test", make) for _ in range(2)] == [1, 1]
    compiled_sql._compiled["default", "a test"] = ({}, 1)
    assert [compiled_for_database("default", "a test", make) for _ in range(2)] == [2, 2]


def test_what_cannot_be_compiled_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compiled_sql, "_compiled", {})

    def make(of: Any) -> Any:
        raise CannotCompile("never")

    for _ in range(2):
        assert compiled_for_database("default", "a test", make) is None
    assert caplog.text.count("never") == 1

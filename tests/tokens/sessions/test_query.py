"""The compiled query against the ORM's."""

from contextlib import nullcontext
from functools import partial
from typing import Any

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.support.processes import run_project
from tokens import sessions
from tokens.database import compiled_sql, raw_rows
from tokens.jose import TokenType
from tokens.models import DeniedToken, EndReason, Session
from tokens.sessions import TokenPair, query, verified

NOW = timezone.now()


@pytest.fixture
def pair(user: Any) -> TokenPair:
    return sessions.start(user, now=NOW)


def claims_of(pair: TokenPair, type: TokenType = TokenType.ACCESS) -> Any:
    raw_token = pair.raw_access if type is TokenType.ACCESS else pair.raw_refresh
    return verified.read(raw_token, now=NOW)


def parts_of(found: tuple[query.Decisive | Session, bool] | None) -> Any:
    """Return everything that can be told apart of an answer."""
    if found is None:
        return None
    row, denied = found
    session = row.session if isinstance(row, query.Decisive) else row
    states = [
        (type(row), row._state.db, row._state.adding, row.get_deferred_fields())
        for row in (session, session.user)
    ]
    values = [
        {name: value for name, value in vars(row).items() if name not in {"_state", "denied"}}
        for row in (session, session.user)
    ]
    return states, values, denied


def nothing(pair: TokenPair) -> None:
    pass


def end(pair: TokenPair) -> None:
    sessions.end([pair.session], reason=EndReason.REVOKED)


def deny_token(pair: TokenPair) -> None:
    sessions.revoke(pair.raw_access, now=NOW)


def deny_key(pair: TokenPair) -> None:
    DeniedToken.objects.create(
        value=pair.session.kid, kind="kid", reason="leaked", denied_at=NOW, until=NOW
    )


def delete_user(pair: TokenPair) -> None:
    get_user_model().objects.all().delete()


def fill_every_column(pair: TokenPair) -> None:
    address = "2001:db8::1"
    Session.objects.update(ip_address=address, refreshed_ip_address=address, user_agent="Ünïcode")
    get_user_model().objects.update(last_login=NOW, first_name="Åda", is_staff=True)


@pytest.mark.parametrize("type", list(TokenType))
@pytest.mark.parametrize(
    "change", [nothing, end, deny_token, deny_key, delete_user, fill_every_column]
)
def test_the_compiled_query_answers_as_the_orm_does(
    pair: TokenPair, change: Any, type: TokenType
) -> None:
    claims = claims_of(pair, type)
    assert query.find(claims) is not None  # compiled before the change
    change(pair)
    assert parts_of(query.find(claims)) == parts_of(query.find_through_orm(claims, alias="default"))


def test_one_compiled_query_serves_every_session(user: Any, pair: TokenPair) -> None:
    other = get_user_model().objects.create_user("bob", "bob@example.org", "secret")
    for each in (pair, sessions.start(other, now=NOW)):
        with CaptureQueriesContext(connection) as captured:
            found = query.find(claims_of(each))
        assert found is not None
        assert found[0].pk == each.session.pk
        assert found[0].user == each.session.user
        assert len(captured) == 1


def test_what_decides_about_an_access_token_is_that_of_its_session(pair: TokenPair) -> None:
    fill_every_column(pair)
    found, from_orm = (
        find(claims_of(pair))
        for find in (query.find, partial(query.find_through_orm, alias="default"))
    )
    assert found is not None
    assert from_orm is not None
    row, _ = found
    assert isinstance(row, query.Decisive)
    for name in ("pk", *(query.DECISIVE_COLUMNS - {"id"})):
        assert getattr(row, name) == getattr(row.session, name) == getattr(from_orm[0], name)


def test_the_object_of_a_session_is_made_when_a_view_asks_for_it(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Session] = []
    from_db = Session.from_db

    def noted(*row: Any) -> Session:
        made.append(from_db(*row))
        return made[-1]

    monkeypatch.setattr(Session, "from_db", noted)
    found = sessions.authenticate(pair.raw_access, now=NOW)
    assert made == []
    assert found.session is found.session
    assert made == [found.session]
    assert found.session.user is found.user


def test_an_access_tokens_session_loads_the_rest_of_its_row_when_asked(pair: TokenPair) -> None:
    session = sessions.authenticate(pair.raw_access, now=NOW).session
    with CaptureQueriesContext(connection) as captured:
        assert session.user == pair.session.user
        assert session.user.get_deferred_fields() == set()
        assert len(captured) == 0
        assert session.started_at == NOW
        assert len(captured) == 1


def test_a_query_that_cannot_be_compiled_goes_through_the_orm(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compiled_sql, "_compiled", {})
    monkeypatch.setattr(raw_rows, "get_related_populators", None)
    with CaptureQueriesContext(connection) as captured:
        found = sessions.authenticate(pair.raw_access, now=NOW)
    assert found.session.user == pair.session.user
    assert len(captured) == 1
    assert "the query for at+jwt goes through the ORM" in caplog.text


on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="about PostgreSQL's prepared statements"
)


@pytest.fixture
def fresh_connection(transactional_db: None) -> None:
    """Connect anew, to a server process that has prepared nothing for other tests."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # The stub lacks it.


def prepared_looks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement ~ 'denied'")
        return int(cursor.fetchone()[0])


@on_postgresql
@pytest.mark.parametrize(("threshold", "prepared"), [(2, 1), (None, 0)])
def test_postgresql_plans_the_look_once_where_the_connection_allows(
    fresh_connection: None, pair: TokenPair, threshold: int | None, prepared: int
) -> None:
    connection.connection.prepare_threshold = threshold
    found = [parts_of(query.find(claims_of(pair))) for _ in range(10)]
    assert prepared_looks() == prepared
    assert found == [parts_of(query.find_through_orm(claims_of(pair), alias="default"))] * 10


@on_postgresql
def test_a_look_that_was_prepared_has_its_text_in_djangos_log_of_queries(
    fresh_connection: None, pair: TokenPair
) -> None:
    connection.connection.prepare_threshold = 0
    sessions.authenticate(pair.raw_access, now=NOW)
    assert prepared_looks() == 1
    with CaptureQueriesContext(connection) as captured:
        sessions.authenticate(pair.raw_access, now=NOW)
    assert [str(pair.session.pk) in query["sql"] for query in captured] == [True]


@on_postgresql
def test_a_prepared_statement_that_is_gone_costs_no_answer(
    fresh_connection: None, pair: TokenPair
) -> None:
    connection.connection.prepare_threshold = 0
    sessions.authenticate(pair.raw_access, now=NOW)
    connection.connection.pgconn.exec_(b"DEALLOCATE ALL")  # psycopg does not see this one
    for _ in range(3):
        sessions.authenticate(pair.raw_access, now=NOW)
    assert prepared_looks() == 0


@on_postgresql
def test_behind_a_pooler_nothing_is_prepared(
    fresh_connection: None, pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler gives each client a process id, which is not that of the server process."""
    monkeypatch.setattr(compiled_sql, "has_its_own_server_process", lambda connection: False)
    connection.connection.prepare_threshold = 0
    for _ in range(3):
        sessions.authenticate(pair.raw_access, now=NOW)
    assert prepared_looks() == 0
    assert connection.connection.prepare_threshold is None


@on_postgresql
@pytest.mark.parametrize("within", [nullcontext, transaction.atomic])
def test_an_altered_column_fails_no_request(
    fresh_connection: None, pair: TokenPair, within: Any
) -> None:
    connection.connection.prepare_threshold = 0
    sessions.authenticate(pair.raw_access, now=NOW)
    alter = "ALTER TABLE tokens_session ALTER COLUMN auth_hash TYPE varchar({})"
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as elsewhere:
        elsewhere.execute(alter.format(129))
        try:
            for _ in range(2):
                with within():
                    sessions.authenticate(pair.raw_access, now=NOW)
        finally:
            connection.close()
            elsewhere.execute(alter.format(128))


@pytest.mark.slow
def test_any_user_model_and_any_database_is_looked_up_by_the_compiled_query() -> None:
    run = run_project("tests.projects.other_users")
    assert run.stdout == "agreed\n", run.stderr

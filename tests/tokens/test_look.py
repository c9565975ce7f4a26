"""The compiled query against the ORM's, and what this process may remember of a signature."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from tests.processes import ROOT
from tokens import keyring, sessions, statement
from tokens.claims import TokenType
from tokens.codec import read_signed
from tokens.errors import (
    BadSignature,
    Denied,
    Expired,
    Malformed,
    SessionEnded,
    UnknownKey,
    UserInactive,
    WrongClaims,
    WrongType,
)
from tokens.keyring.sealing import Sealer
from tokens.look import query, signatures
from tokens.models import DeniedToken, EndReason, Session, SigningKey
from tokens.pairs import TokenPair

NOW = timezone.now()


@pytest.fixture
def pair(user: Any) -> TokenPair:
    return sessions.start(user, now=NOW)


def claims_of(pair: TokenPair, type: TokenType = TokenType.ACCESS) -> Any:
    raw_token = pair.raw_access if type is TokenType.ACCESS else pair.raw_refresh
    return signatures.read(raw_token, now=NOW)


def seen(found: tuple[Session, bool] | None) -> Any:
    """Return everything that can be told apart of an answer."""
    if found is None:
        return None
    session, denied = found
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
    sessions.revoke(pair.raw_access)


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
    assert seen(query.find(claims)) == seen(query.find_through_orm(claims, alias="default"))


def test_one_compiled_query_serves_every_session(user: Any, pair: TokenPair) -> None:
    other = get_user_model().objects.create_user("bob", "bob@example.org", "secret")
    for each in (pair, sessions.start(other, now=NOW)):
        with CaptureQueriesContext(connection) as captured:
            found = query.find(claims_of(each))
        assert found is not None
        assert found[0].pk == each.session.pk
        assert found[0].user == each.session.user
        assert len(captured) == 1


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
    monkeypatch.setattr(statement, "_thread", statement._Thread())
    monkeypatch.setattr(query, "get_related_populators", None)
    with CaptureQueriesContext(connection) as captured:
        found = sessions.authenticate(pair.raw_access, now=NOW)
    assert found.session.user == pair.session.user
    assert len(captured) == 1
    assert "a look with at+jwt goes through the ORM" in caplog.text


on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="about PostgreSQL's prepared statements"
)


def prepared_looks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement ~ 'denied'")
        return int(cursor.fetchone()[0])


@on_postgresql
@pytest.mark.parametrize(("threshold", "prepared"), [(2, 1), (None, 0)])
def test_postgresql_plans_the_look_once_where_the_connection_allows(
    pair: TokenPair, threshold: int | None, prepared: int
) -> None:
    connection.connection.prepare_threshold = threshold
    found = [seen(query.find(claims_of(pair))) for _ in range(10)]
    assert prepared_looks() == prepared
    assert found == [seen(query.find_through_orm(claims_of(pair), alias="default"))] * 10


@on_postgresql
def test_a_pooler_that_swaps_connections_beneath_costs_nobody_an_answer(
    transactional_db: None, pair: TokenPair
) -> None:
    connection.connection.prepare_threshold = 0
    sessions.authenticate(pair.raw_access, now=NOW)
    connection.connection.pgconn.exec_(b"DEALLOCATE ALL")  # psycopg does not see this one
    for _ in range(3):
        sessions.authenticate(pair.raw_access, now=NOW)
    assert prepared_looks() == 0


@on_postgresql
def test_a_column_that_was_altered_costs_one_503_inside_a_transaction(
    transactional_db: None, pair: TokenPair
) -> None:
    connection.connection.prepare_threshold = 0
    sessions.authenticate(pair.raw_access, now=NOW)
    alter = "ALTER TABLE tokens_session ALTER COLUMN auth_hash TYPE varchar({})"
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as elsewhere:
        elsewhere.execute(alter.format(129))
        try:
            with pytest.raises(OperationalError), transaction.atomic():
                sessions.authenticate(pair.raw_access, now=NOW)
            with transaction.atomic():
                sessions.authenticate(pair.raw_access, now=NOW)
            assert prepared_looks() == 0
        finally:
            connection.close()
            elsewhere.execute(alter.format(128))


def test_any_user_model_and_any_database_is_looked_up_by_the_compiled_query() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.other_users"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.other_users.settings"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.stdout == "agreed\n", run.stderr


def test_a_signature_is_verified_once(pair: TokenPair, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions.authenticate(pair.raw_access, now=NOW)
    monkeypatch.setattr("tokens.look.signatures.read_signed", None)
    sessions.authenticate(pair.raw_access, now=NOW)


def late(pair: TokenPair) -> None:
    sessions.authenticate(pair.raw_access, now=pair.access_expires_at + timedelta(seconds=10))


def under_a_revoked_key(pair: TokenPair) -> None:
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))
    sessions.authenticate(pair.raw_access, now=NOW)


def after_the_key_stopped_verifying(pair: TokenPair) -> None:
    SigningKey.objects.update(state="retired", verifies_until=NOW)
    keyring.forget()
    sessions.authenticate(pair.raw_access, now=NOW)


def after_its_own_denial(pair: TokenPair) -> None:
    deny_token(pair)
    sessions.authenticate(pair.raw_access, now=NOW)


def after_the_end_of_its_session(pair: TokenPair) -> None:
    end(pair)
    sessions.authenticate(pair.raw_access, now=NOW)


def after_its_user_was_deactivated(pair: TokenPair) -> None:
    get_user_model().objects.update(is_active=False)
    sessions.authenticate(pair.raw_access, now=NOW)


def as_a_refresh_token(pair: TokenPair) -> None:
    sessions.refresh(pair.raw_access, now=NOW)


def at_another_issuer(pair: TokenPair) -> None:
    with override_settings(TOKENS_ISSUER="elsewhere"):
        sessions.authenticate(pair.raw_access, now=NOW)


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (late, Expired),
        (under_a_revoked_key, UnknownKey),
        (after_the_key_stopped_verifying, UnknownKey),
        (after_its_own_denial, Denied),
        (after_the_end_of_its_session, SessionEnded),
        (after_its_user_was_deactivated, UserInactive),
        (as_a_refresh_token, WrongType),
        (at_another_issuer, WrongClaims),
    ],
)
def test_a_remembered_signature_admits_nothing_by_itself(
    transactional_db: None, pair: TokenPair, use: Any, error: Any
) -> None:
    sessions.authenticate(pair.raw_access, now=NOW)
    assert len(signatures._memory) == 1
    with pytest.raises(error):
        use(pair)


def test_another_key_of_the_same_name_did_not_sign_what_is_remembered(pair: TokenPair) -> None:
    sessions.authenticate(pair.raw_access, now=NOW)
    row = keyring.rotation.make_row("HS256", state=SigningKey.State.NEXT, now=NOW)
    other = Sealer().open(row) | {"kid": pair.session.kid}
    SigningKey.objects.filter(kid=pair.session.kid).update(sealed=Sealer().seal(other))
    keyring.forget()
    with pytest.raises(BadSignature):
        sessions.authenticate(pair.raw_access, now=NOW)


def test_a_resealed_key_goes_on_verifying_what_is_remembered(pair: TokenPair) -> None:
    sessions.authenticate(pair.raw_access, now=NOW)
    keyring.forget()
    sessions.authenticate(pair.raw_access, now=NOW)


@pytest.mark.parametrize("raw_token", ["", "a.b.c", "é" * 20, "\udc80.a.b", "a" * 9000])
def test_what_is_no_token_is_refused_and_not_remembered(raw_token: str) -> None:
    with pytest.raises(Malformed):
        signatures.read(raw_token, now=NOW)
    assert len(signatures._memory) == 0


def test_a_forged_or_a_refresh_token_is_not_remembered(pair: TokenPair) -> None:
    signatures.read(pair.raw_refresh, now=NOW)
    head, _, signature = pair.raw_access.rpartition(".")
    with pytest.raises(BadSignature):
        signatures.read(f"{head}.{'A' * len(signature)}", now=NOW)
    assert len(signatures._memory) == 0


def test_no_more_signatures_are_kept_than_the_capacity_and_the_used_ones_stay(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signatures, "CAPACITY", 3)
    tokens = [sessions.start(user, now=NOW).raw_access for _ in range(5)]
    for raw_access in tokens:
        signatures.read(tokens[0], now=NOW)
        signatures.read(raw_access, now=NOW)
        assert len(signatures._memory) <= 3
    verified = []
    monkeypatch.setattr(
        signatures,
        "read_signed",
        lambda raw, **how: verified.append(raw) or read_signed(raw, **how),
    )
    for raw_access in (tokens[0], tokens[3], tokens[4], tokens[1]):
        signatures.read(raw_access, now=NOW)
    assert verified == [tokens[1]]


def test_threads_share_the_memory(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "CAPACITY", 5)
    tokens = {sessions.start(user, now=NOW).raw_access for _ in range(10)}
    expected = {raw_access: signatures.read(raw_access, now=NOW) for raw_access in tokens}

    def read_all(_: int) -> bool:
        return all(signatures.read(raw, now=NOW) == expected[raw] for raw in tokens)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read_all, range(200)))
    assert len(signatures._memory) <= 5


def test_what_is_remembered_shows_no_token_and_no_key(pair: TokenPair) -> None:
    signatures.read(pair.raw_access, now=NOW)
    (entry,) = signatures._memory._entries.items()
    assert pair.raw_access not in repr(entry)
    assert "Key" not in repr(entry)

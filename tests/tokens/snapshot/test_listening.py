"""The connection to PostgreSQL on which a process listens for notifications."""

from typing import Any

import pytest
from django.db import connection, transaction

from tests.support.waiting import wait_until
from tokens import snapshot
from tokens.database.places import place_of
from tokens.denylist import listening, notifications
from tokens.models import DeniedToken
from tokens.sessions import TokenPair

from .denials import deactivate, end, revoke_in_another_process
from .hearing import hears, listens, postgresql_only

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("snapshot_mode"),
]


@postgresql_only
def test_a_notification_arrives_within_a_callers_transaction_too(pair: TokenPair) -> None:
    listens()
    with transaction.atomic():
        revoke_in_another_process(pair)
        wait_until(hears)


@postgresql_only
def test_a_denial_that_is_rolled_back_notifies_no_process(pair: TokenPair) -> None:
    listens()
    with transaction.atomic():
        deactivate(pair)
        transaction.set_rollback(True)
    assert not hears()
    end(pair)
    wait_until(hears)


@postgresql_only
def test_too_many_notifications_close_the_connection_for_a_while(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(listening, "MAX_NOTIFICATIONS", 3)
    listens()
    for _ in range(5):
        notifications.notify(place_of(DeniedToken))
    wait_until(lambda: "more than 3 denials within 60 seconds" in caplog.text)


@postgresql_only
def test_its_connection_has_the_options_of_the_others(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c application_name=options-of-all")
    snapshot.forget()
    listens()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT query FROM pg_stat_activity WHERE application_name = 'options-of-all'"
        )
        assert cursor.fetchall() == [("LISTEN tokens_denied",)]


@postgresql_only
def test_a_listening_connection_that_is_quiet_sends_a_statement_again_and_again(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "RETRY_AFTER", 0.2)
    snapshot.forget()  # One that listens already waits for as long as it was told.
    listens()
    for _ in range(3):
        wait_until(hears)


@postgresql_only
def test_behind_a_pooler_nothing_listens(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """A pooler answers with the process id of the server process that happens to be free."""
    ask = listening._Listener._ask
    monkeypatch.setattr(listening._Listener, "_ask", lambda *args: (ask(*args) or 0) + 1)
    snapshot.forget()
    hears()
    wait_until(lambda: "a pooler is in between" in caplog.text)


@postgresql_only
def test_a_statement_that_fails_is_reported(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(listening, "CHANNEL", "no such name")
    snapshot.forget()
    hears()
    wait_until(lambda: "syntax error" in caplog.text)

"""The database is away, and the settings that say what happens then."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from tests.connections.held import PATIENCE, Held
from tokens import sessions
from tokens.connections import watcher
from tokens.connections.checks import check_connections
from tokens.connections.registry import Registry

pytestmark = pytest.mark.slow


@pytest.fixture
def held(registry: Registry, user: Any) -> Held:
    held = Held(sessions.start(user))
    assert held.stays_open()
    return held


class Away:
    """Lets each judgement fail while ``is_away``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_away = True
        self.tries = 0
        self._judge_all = sessions.judge_all
        monkeypatch.setattr(sessions, "judge_all", self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.is_away:
            self.tries += 1
            raise OperationalError("the server closed the connection")
        return self._judge_all(*args, **kwargs)


def test_an_open_connection_is_kept_while_the_database_is_away_and_judged_afterwards(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Away(monkeypatch)
    deadline = time.monotonic() + PATIENCE
    while away.tries < 5:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not held.ended.is_set()
    away.is_away = False
    assert held.stays_open()


def test_an_open_connection_ends_within_the_bound_where_the_project_wants_it(
    held: Held, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.TOKENS_CONNECTIONS_WITHOUT_DATABASE = "close"
    Away(monkeypatch)
    began = time.monotonic()
    assert held.code() == "unavailable"
    assert time.monotonic() - began < 10 * watcher.bound()


@pytest.mark.parametrize(
    ("name", "value", "id"),
    [
        ("TOKENS_CONNECTION_EXPIRY_GRACE", timedelta(seconds=-1), "tokens.E065"),
        ("TOKENS_DENYLIST_MAX_STALENESS", timedelta(0), "tokens.E065"),
        ("TOKENS_CONNECTIONS_WITHOUT_DATABASE", "open", "tokens.E066"),
    ],
)
def test_a_value_that_nothing_stands_for_is_reported(
    name: str, value: Any, id: str, settings: Any
) -> None:
    assert check_connections() == []
    setattr(settings, name, value)
    assert [message.id for message in check_connections()] == [id]

"""Databases that cannot keep what the app promises are reported."""

from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection, connections, router

from tests.tokens.checks.conftest import found
from tokens.checks import check_database, check_engine, check_sequence
from tokens.models import DeniedToken, Session, SigningKey, ThrottleCount

pytestmark = pytest.mark.django_db

Migration: Any = import_module("tokens.migrations.0001_initial").Migration


class ReadsElsewhere:
    def __init__(self, *models: Any) -> None:
        self.models = models

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "replica" if model in self.models else None


@pytest.mark.parametrize(
    "model", [DeniedToken, Session, SigningKey, ThrottleCount, get_user_model()]
)
def test_a_router_that_reads_from_a_replica_what_decides_is_noticed(
    monkeypatch: Any, model: Any
) -> None:
    monkeypatch.setattr(router, "routers", [ReadsElsewhere(model)])
    assert [message.id for message in check_database()] == ["tokens.W020"]


class Elsewhere:
    """Keeps this app in a database of its own."""

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "other" if model._meta.app_label == "tokens" else "default"

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "other") is (app_label == "tokens")


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Add a database "other"; the fixture is its connection, which is never opened."""
    definition = {**connections.settings["default"], "NAME": "other"}
    monkeypatch.setitem(connections.settings, "other", definition)
    yield connections["other"]
    del connections["other"]


def is_refused(*databases: str) -> bool:
    """Return whether ``check``, or ``migrate`` of these databases, refuses an engine."""
    messages = check_engine(databases=list(databases) or None)
    assert [message.id for message in messages] in ([], ["tokens.E024"])
    return bool(messages)


@pytest.mark.parametrize("vendor", ["mysql", "oracle", "microsoft", "cockroachdb"])
def test_another_engine_is_refused_in_one_sentence(monkeypatch: Any, vendor: str) -> None:
    assert not is_refused()
    monkeypatch.setattr(connection, "vendor", vendor)
    monkeypatch.setattr(connection, "display_name", "Something else")
    assert is_refused()
    assert is_refused("default")
    (message,) = check_engine()
    assert message.msg == (
        "The app tokens works on SQLite and PostgreSQL only, and the database 'default' is "
        "Something else."
    )


def test_only_the_database_that_gets_the_tables_is_judged(monkeypatch: Any, two: Any) -> None:
    monkeypatch.setattr(two, "vendor", "mysql")
    assert not is_refused("default")
    assert is_refused("other")  # Without a router, "migrate --database=other" makes them there.
    monkeypatch.setattr(router, "routers", [Elsewhere()])
    assert is_refused()
    assert is_refused("other")
    monkeypatch.setattr(two, "vendor", "sqlite")
    monkeypatch.setattr(connection, "vendor", "mysql")
    assert not is_refused()
    assert not is_refused("default", "other")


def test_migrate_stops_before_any_table(monkeypatch: Any) -> None:
    monkeypatch.setattr(connection, "vendor", "mysql")
    with pytest.raises(SystemCheckError, match=r"tokens\.E024"):
        call_command("migrate", verbosity=0, skip_checks=False)


def test_the_migration_refuses_another_engine_by_itself(monkeypatch: Any) -> None:
    """Checks can be skipped."""
    first: Any = Migration.operations[0]
    editor = SimpleNamespace(connection=connection)
    first.code(None, editor)
    monkeypatch.setattr(connection, "vendor", "mysql")
    with pytest.raises(CommandError, match="works on SQLite and PostgreSQL only"):
        first.code(None, editor)


def test_atomic_requests_are_noticed_where_the_snapshot_cannot_be_read(
    settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert found() == {}
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    expected = [] if connection.vendor == "postgresql" else ["tokens.W021"]
    assert list(found()) == expected


def test_a_database_that_django_does_not_commit_is_refused(monkeypatch: Any) -> None:
    monkeypatch.setitem(connection.settings_dict, "AUTOCOMMIT", False)
    assert [message.id for message in check_database()] == ["tokens.E023"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no sequences")
@pytest.mark.parametrize(("cached", "ids"), [(1, []), (50, ["tokens.W023"])])
def test_a_sequence_that_hands_out_many_numbers_at_once_is_noticed(
    settings: Any, cached: int, ids: list[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE tokens_deniedtoken ALTER COLUMN id SET CACHE {cached}")
    assert check_sequence() == []
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    assert [message.id for message in check_sequence()] == ids

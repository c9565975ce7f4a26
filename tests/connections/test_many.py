"""Many connections in this process, and revocations by another."""

import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection as database
from django.db import connections

from tests.connections.held import PATIENCE, Held
from tests.support.processes import environment
from tests.support.revoker import Revoker, own_revoker
from tokens import clock, sessions
from tokens.connections import watcher
from tokens.connections.registry import Registry

pytestmark = pytest.mark.slow

COUNT = 2_000
REVOKED = 20


class Member:
    def __init__(self, held: Held) -> None:
        self.sid = str(held.claims.sid)


@pytest.fixture
def crowd(registry: Registry) -> list[Held]:
    users = get_user_model().objects.bulk_create(
        get_user_model()(username=f"user{number}", email=f"user{number}@example.org")
        for number in range(COUNT)
    )
    return [Held(sessions.start(user)) for user in users]


@pytest.fixture
def revoker(registry: Registry) -> Iterator[Revoker]:
    with own_revoker(environment()["DATABASE_URL"]) as revoker:
        yield revoker


def test_what_another_process_revokes_ends_soon_and_no_other(
    crowd: list[Held], revoker: Revoker
) -> None:
    took = []
    for held in crowd[:REVOKED]:
        revoker.end([Member(held)])  # type: ignore[list-item]
        committed = time.monotonic()
        assert held.ended.wait(PATIENCE)
        took.append(time.monotonic() - committed)
    assert statistics.median(took) < 0.5  # On a busy machine; alone it is some 20 ms.
    assert not any(held.ended.is_set() for held in crowd[REVOKED:])


def test_a_sweep_has_two_statements_for_each_batch(
    crowd: list[Held], registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        statements.append(sql)
        return execute(sql, *rest)

    (watched,) = registry._watchers.values()
    check = watched._check

    def counted_check() -> None:
        with connections[database.alias].execute_wrapper(count):
            check()

    monkeypatch.setattr(watched, "_check", counted_check)
    time.sleep(
        2 * watcher.bound()
    )  # Until those that came one after the other are judged together.
    statements.clear()
    began = clock.elapsed()
    time.sleep(10 * watcher.bound())
    sweeps = (clock.elapsed() - began) / (watcher.bound() * watcher.JUDGED_AGAIN_AT)
    oldest = min(held.connection.judged_at for held in crowd)
    assert clock.elapsed() - oldest < watcher.bound()
    assert 0 < len(statements) <= 3 * sweeps * (COUNT / watcher.BATCH_SIZE + 1)

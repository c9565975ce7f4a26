"""The threads that serve all connections: what wakes them up, what outlives a fork."""

import os
import threading
import time
from typing import Any

import pytest
from django.db import connection as database

from tests.connections.held import PATIENCE, Held
from tests.support.waiting import wait_until
from tokens import clock, sessions
from tokens.connections import watcher
from tokens.connections.registry import Registry

pytestmark = pytest.mark.slow


@pytest.fixture
def held(registry: Registry, user: Any) -> Held:
    held = Held(sessions.start(user))
    assert held.stays_open()
    return held


def test_an_idle_process_wakes_up_only_to_judge(
    held: Held, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    (watched,) = registry._watchers.values()
    checks: list[float] = []
    check = watched.check

    def counted() -> None:
        checks.append(clock.elapsed())
        check()

    monkeypatch.setattr(watched, "check", counted)
    began = clock.elapsed()
    time.sleep(3 * watcher.bound())
    passed = clock.elapsed() - began
    if database.vendor == "sqlite":  # It announces nothing.
        assert len(checks) > 10
    else:
        assert len(checks) <= 2 * passed / (watcher.bound() * watcher.JUDGED_AGAIN_AT) + 2


def test_a_statement_that_does_not_come_back_ends_what_it_judges_where_the_project_wants_it(
    held: Held, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOKENS_CONNECTIONS_WITHOUT_DATABASE = "close"
    answer = threading.Event()
    judge_all = sessions.judge_all

    def wait(*args: Any, **options: Any) -> Any:
        assert answer.wait(PATIENCE)
        return judge_all(*args, **options)

    monkeypatch.setattr(sessions, "judge_all", wait)
    try:
        assert held.code() == "unavailable"
    finally:
        answer.set()


def test_an_expired_token_ends_its_connection_while_no_statement_comes_back(
    held: Held, settings: Any, monkeypatch: pytest.MonkeyPatch, registry: Registry
) -> None:
    answer = threading.Event()
    waits = threading.Event()

    def wait(*args: Any, **options: Any) -> Any:
        waits.set()
        assert answer.wait(PATIENCE)
        return []

    monkeypatch.setattr(sessions, "judge_all", wait)
    try:
        assert waits.wait(PATIENCE)
        with registry._lock:
            registry._by_second[0] = registry._by_second.pop(held.connection.second)
            held.connection.second = 0
        assert held.code() == "token_expired"
    finally:
        answer.set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_has_neither_threads_nor_connections_of_its_parent(
    held: Held, registry: Registry
) -> None:
    """The locks may be held by threads that the child does not have."""
    (watched,) = registry._watchers.values()
    is_held, may_go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with registry._lock, watched._lock:
            is_held.set()
            assert may_go_on.wait(PATIENCE)

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(PATIENCE)
    child = os.fork()
    if not child:
        try:
            good = not registry._watchers and not registry._by_second and not registry._threads
            good &= threading.active_count() == 1
            held.connection.renew(held.claims)
            held.connection.close()
        except BaseException:
            good = False
        os._exit(0 if good else 1)
    may_go_on.set()
    holder.join()
    wait_until(lambda: os.waitpid(child, os.WNOHANG) == (child, 0), seconds=PATIENCE)
    assert held.stays_open()
    sessions.end([sessions.judge(held.claims, now=clock.now())], reason=sessions.EndReason.LOGOUT)
    assert held.code() == "session_ended"


def test_threads_begin_again_with_the_next_connection(
    held: Held, registry: Registry, user: Any
) -> None:
    held.connection.close()
    wait_until(lambda: not registry._threads, seconds=PATIENCE)
    assert registry._watchers == {}
    assert Held(sessions.start(user)).stays_open()


def test_a_connection_that_opens_right_after_the_last_one_closed_is_judged(
    held: Held, registry: Registry, user: Any
) -> None:

    held.connection.close()
    other = Held(sessions.start(user))
    assert other.stays_open()
    other.connection.close()

"""The thread that writes what was seen in use: a real one, with a connection of its own."""

import os
import subprocess
import sys
import threading
import time
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection

from tests.support.processes import PATIENCE, ROOT, environment
from tests.support.waiting import wait_until
from tokens import keyring, sessions
from tokens.database.places import Place, place_of
from tokens.models import Session
from tokens.sessions import TokenPair, seen

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pair(user: Any) -> TokenPair:
    keyring.ensure()  # A flushed test database has lost what migrating it made.
    return sessions.start(user)


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> seen._Notes:
    """Notes with a thread, which waits for ever once this test is over, without a connection."""
    notes = seen._Notes()
    notes.has_thread = True
    monkeypatch.setattr(seen, "_notes", notes)
    monkeypatch.setattr(seen, "INTERVAL", 0.05)
    return notes


def is_seen(pair: TokenPair) -> bool:
    return Session.objects.get(pk=pair.session.pk).seen


def is_idle(notes: seen._Notes) -> bool:
    return not notes._pending and not notes._due.is_set()


@pytest.mark.usefixtures("notes")
def test_a_used_access_token_is_written_down_by_the_thread(pair: TokenPair) -> None:
    sessions.authenticate(pair.raw_access)
    wait_until(lambda: is_seen(pair))


def test_a_process_has_one_thread_which_writes_at_most_one_statement_per_interval(
    pair: TokenPair, notes: seen._Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "MAX_ROWS", 2)
    monkeypatch.setattr(seen, "INTERVAL", 0.2)
    mark, written = seen.mark, []

    def timed(rows: list[seen.Generation], place: Place | None = None) -> None:
        written.append((time.monotonic(), threading.current_thread(), len(rows)))
        mark(rows, place)

    monkeypatch.setattr(seen, "mark", timed)
    for _ in range(5):
        seen.note(uuid4(), 0)
    sessions.authenticate(pair.raw_access)
    wait_until(lambda: is_seen(pair))
    instants, threads, counts = zip(*written, strict=True)
    assert sum(counts) == 6
    assert max(counts) <= 2
    assert set(threads) == {notes._thread}
    assert all(after - before >= 0.2 for before, after in pairwise(instants))


def test_a_failing_database_loses_the_note_and_the_thread_goes_on(
    pair: TokenPair, notes: seen._Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, errors = seen.mark, [DatabaseError("gone"), RuntimeError("whatever it is")]

    def failing(rows: list[seen.Generation], place: Place | None = None) -> None:
        if errors:
            raise errors.pop()
        mark(rows, place)

    monkeypatch.setattr(seen, "mark", failing)
    for left in (1, 0):
        sessions.authenticate(pair.raw_access)
        wait_until(lambda: is_idle(notes) and not notes._noted)
        assert len(errors) == left
        assert not is_seen(pair)
    # What was not written is noted again at the next use.
    sessions.authenticate(pair.raw_access)
    wait_until(lambda: is_seen(pair))
    assert notes._thread is not None
    assert notes._thread.is_alive()


def test_the_thread_keeps_no_connection_that_a_test_database_could_not_be_dropped_with(
    pair: TokenPair, notes: seen._Notes
) -> None:
    sessions.authenticate(pair.raw_access)
    wait_until(lambda: is_seen(pair) and is_idle(notes))
    if connection.vendor == "postgresql":  # PostgreSQL only
        pool: Any = connection.pool  # type: ignore[attr-defined]
        # All but this test's own connection wait in the pool, which Django closes before.
        wait_until(lambda: pool.get_stats()["pool_available"] == pool.get_stats()["pool_size"] - 1)


@pytest.mark.slow
def test_a_forked_process_writes_its_own_notes(user: Any, pair: TokenPair) -> None:
    other = sessions.start(user)
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.noter", str(pair.session.pk), str(other.session.pk)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert is_seen(pair)
    assert is_seen(other)


def test_an_older_generation_does_not_push_out_the_note_of_a_newer_one(user: Any) -> None:
    keyring.ensure()
    first = sessions.start(user)
    second = sessions.refresh(first.raw_refresh)
    sessions.authenticate(second.raw_access)
    sessions.authenticate(first.raw_access)
    seen.flush()
    assert is_seen(second)


def test_no_more_is_remembered_than_the_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "REMEMBERED", 3)
    notes = seen._Notes()
    monkeypatch.setattr(notes, "_start_thread", lambda: None)
    last = uuid4()
    for sid in [*(uuid4() for _ in range(5)), last]:
        notes.add(sid, 0)
    assert len(notes._noted) == 3
    assert (place_of(Session), last, 0) in notes._noted


def test_two_requests_that_note_at_once_start_one_thread(notes: seen._Notes) -> None:
    notes._start_thread()
    first = notes._thread
    notes._start_thread()
    assert notes._thread is first


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("writes", [True, False])
def test_a_fork_waits_for_the_thread_that_writes_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, writes: bool
) -> None:
    monkeypatch.setattr(seen._Notes, "fork_waits", 0.05)
    notes = seen._Notes()
    if writes:
        notes._working.acquire()
    child = os.fork()
    if not child:
        os._exit(0 if notes._working.acquire(blocking=False) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert notes._working.locked() == writes

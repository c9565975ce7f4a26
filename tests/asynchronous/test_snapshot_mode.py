"""In snapshot mode the copy of the denylist answers on the event loop, and a thread reads it."""

import asyncio
import time
from typing import Any

import pytest
from django.core.exceptions import SynchronousOnlyOperation

from tests.asynchronous.conftest import run
from tests.asynchronous.hops import Hops
from tokens import clock, sessions, snapshot
from tokens.conf import conf
from tokens.database.places import place_of
from tokens.errors import Denied
from tokens.keyring import ring
from tokens.models import Session
from tokens.sessions import TokenPair
from tokens.snapshot import reader


class TestSnapshotMode:
    """The copy of the denylist answers on the event loop."""

    @pytest.fixture(autouse=True)
    def _snapshot_mode(self, pair: TokenPair, snapshot_mode: None) -> None:
        sessions.authenticate(pair.raw_access)  # The first request reads the copy.

    def test_a_token_is_accepted_without_a_thread(
        self, pair: TokenPair, hops: Hops, user: Any, django_assert_num_queries: Any
    ) -> None:
        async def authenticate() -> Any:
            hops.take()
            return await sessions.aauthenticate(pair.raw_access), hops.take()

        with django_assert_num_queries(0):
            found, taken = run(authenticate())
        assert (found.user.pk, taken) == (user.pk, 0)

    def test_the_user_and_the_session_are_loaded_in_a_thread(
        self, pair: TokenPair, user: Any
    ) -> None:
        async def load() -> None:
            found = await sessions.aauthenticate(pair.raw_access)
            with pytest.raises(SynchronousOnlyOperation):
                found.user.get_username()
            with pytest.raises(SynchronousOnlyOperation):
                _ = found.session
            assert (await found.asession()).pk == found.claims.sid
            assert (await found.auser()).get_username() == user.get_username()
            await found.auser()  # It is loaded once.
            assert found.user.get_username() == user.get_username()

        run(load())

    def test_a_denied_token_is_judged_by_the_query(self, pair: TokenPair) -> None:
        sessions.revoke(pair.raw_access)
        with pytest.raises(Denied):
            run(sessions.aauthenticate(pair.raw_access))

    def test_a_copy_that_is_due_answers_while_a_thread_reads(
        self, pair: TokenPair, hops: Hops, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        elapsed = clock.elapsed
        read_at = 0.9 * conf.TOKENS_DENYLIST_MAX_STALENESS.total_seconds()
        monkeypatch.setattr(clock, "elapsed", lambda: elapsed() + read_at)
        monkeypatch.setattr(ring, "RING_MAX_AGE", 7200.0)

        async def authenticate() -> int:
            hops.take()
            await sessions.aauthenticate(pair.raw_access)
            await sessions.aauthenticate(pair.raw_access)
            return hops.take()

        assert run(authenticate()) == 0
        assert reader._reader.is_pending()
        reader.flush()
        monkeypatch.setattr(clock, "elapsed", lambda: elapsed() + read_at * 1.5)
        assert run(authenticate()) == 0

    def test_a_copy_older_than_the_bound_leaves_the_token_to_the_query(
        self, pair: TokenPair, hops: Hops, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        elapsed = clock.elapsed
        bound = conf.TOKENS_DENYLIST_MAX_STALENESS.total_seconds()
        monkeypatch.setattr(clock, "elapsed", lambda: elapsed() + bound + 1)
        monkeypatch.setattr(ring, "RING_MAX_AGE", 7200.0)

        async def authenticate() -> Any:
            hops.take()
            return await sessions.aauthenticate(pair.raw_access), hops.take()

        found, taken = run(authenticate())
        assert (found.session.pk, taken) == (found.claims.sid, 1)

    def test_a_thread_of_the_process_reads_the_copy(
        self, pair: TokenPair, hops: Hops, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reader._reader, "has_thread", True)
        snapshot.forget()

        async def authenticate() -> None:
            deadline = time.monotonic() + 20
            taken = 1
            while taken and time.monotonic() < deadline:
                hops.take()
                await sessions.aauthenticate(pair.raw_access)
                taken = hops.take()
                await asyncio.sleep(0.01)
            assert taken == 0

        run(authenticate())

    def test_an_error_of_the_reading_does_not_stop_the_thread(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Broken:
            def bring_up_to_date(self, bound: float, *, now: Any) -> None:
                raise LookupError("broken")

        for _ in range(2):  # The second is what the first asked for.
            reader.ask(Broken(), place_of(Session), 1.0, now=clock.now())
        reader.flush()
        assert caplog.text.count("broken") == 1

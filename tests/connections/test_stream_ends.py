"""How a guarded stream ends: by its client, its server, its loop and its last event."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from contextvars import Context, ContextVar
from functools import partial
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from tests.connections.held import PATIENCE, claims_of
from tests.connections.memory import held, wait_until_none_is_held
from tests.connections.streaming import EVENT, end, reach, response_of, run, stream_of
from tokens import sessions
from tokens.connections import streams
from tokens.connections.event_loop import watched
from tokens.connections.registry import watch
from tokens.sessions import TokenPair

pytestmark = [pytest.mark.usefixtures("nothing_is_left"), pytest.mark.slow]


@pytest.mark.parametrize("is_waiting", [True, False])
def test_a_client_that_leaves_closes_the_iterator(pair: TokenPair, is_waiting: bool) -> None:
    begun: list[bytes] = []
    closed: list[str] = []

    async def content() -> AsyncIterator[bytes]:
        try:
            yield b"data: 1\n\n"
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            closed.append("closed")

    async def serve() -> None:
        response = response_of(content(), pair)
        try:  # As Django does.
            async with aclosing(aiter(response)) as stream:
                begun.append(await anext(stream))
                if is_waiting:
                    await anext(stream)
                await asyncio.Event().wait()
        finally:
            await sync_to_async(response.close)()

    async def story() -> None:
        serving = asyncio.ensure_future(serve())
        await reach(lambda: begun)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        await reach(lambda: closed)

    run(story)
    assert closed == ["closed"]


def test_an_end_while_the_iterator_of_a_client_that_left_cleans_up_does_not_interrupt_it(
    pair: TokenPair,
) -> None:
    done: list[str] = []

    async def content() -> AsyncIterator[bytes]:
        try:
            yield b"data: 1\n\n"
            await asyncio.Event().wait()
        finally:
            done.append("begins to clean up")
            await asyncio.sleep(0.3)
            done.append("is clean")

    async def story() -> None:
        response = response_of(content(), pair)
        stream = aiter(response)
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await reach(lambda: done)
        await end(pair)
        with pytest.raises(asyncio.CancelledError):
            await waiting

    run(story)
    assert done == ["begins to clean up", "is clean"]


def test_a_server_that_cancels_while_the_iterator_cleans_up_is_heard(pair: TokenPair) -> None:
    begun: list[bytes] = []
    may_end: list[asyncio.Event] = []
    interrupted: list[str] = []

    async def content() -> AsyncIterator[bytes]:
        try:
            yield b"data: 1\n\n"
            await asyncio.Event().wait()
        finally:
            may_end.append(asyncio.Event())
            try:
                await may_end[0].wait()
            except asyncio.CancelledError:
                interrupted.append("interrupted")
                raise

    async def serve() -> None:
        async for chunk in stream_of(content(), pair):
            begun.append(chunk)

    async def story() -> None:
        serving = asyncio.ensure_future(serve())
        await reach(lambda: begun)
        await end(pair)
        await reach(lambda: may_end)
        assert not serving.done()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    run(story)
    assert interrupted == ["interrupted"]


def test_a_loop_that_closes_first_is_no_error_when_the_session_ends(
    pair: TokenPair, caplog: pytest.LogCaptureFixture
) -> None:
    block = watched(partial(watch, claims_of(pair)))

    async def begin() -> None:
        block.__enter__()

    asyncio.run(begin())
    sessions.revoke(pair.raw_refresh)
    wait_until_ended(caplog)
    block.__exit__(None, None, None)
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_a_response_that_is_closed_after_its_loop_is_no_error(pair: TokenPair) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        await asyncio.Event().wait()

    response = response_of(content(), pair)

    async def begin() -> None:
        assert await anext(aiter(response)) == b"data: 1\n\n"

    asyncio.run(begin())
    response.close()


def test_a_response_that_is_closed_before_it_is_read_is_no_error(pair: TokenPair) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"

    for close in response_of(content(), pair)._resource_closers:
        close()  # response.close() ignores what it raises.


def wait_until_ended(caplog: pytest.LogCaptureFixture) -> None:
    deadline = time.monotonic() + PATIENCE
    while not any(" ends: " in each.getMessage() for each in caplog.records):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("chunks", "is_told"),
    [
        ([b"data: 1\n\n"], True),
        ([b"data: 1\n", b"\n"], True),
        ([b"data: 1\r\n\r\n"], True),
        ([b"data: 1\r\r"], True),
        ([b"data: 1\n\r\n"], True),
        ([b": heartbeat\n\n"], True),
        ([b"data: 1\r\n"], False),
        ([b"data: 1\n"], False),
        ([b"data: 1"], False),
        ([b"data: 1\n\n", b"data: 2"], False),
    ],
)
def test_an_event_follows_only_a_whole_one(
    pair: TokenPair, chunks: list[bytes], is_told: bool
) -> None:
    async def content() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk
        await asyncio.Event().wait()

    async def story() -> list[bytes]:
        stream = stream_of(content(), pair, "Text/Event-Stream ; charset=utf-8")
        assert [await anext(stream) for _ in chunks] == chunks
        await end(pair)
        return [chunk async for chunk in stream]

    assert run(story) == ([EVENT] if is_told else [])


def test_a_sync_event_stream_ends_with_the_event(pair: TokenPair) -> None:
    closed = []

    def content() -> Iterator[bytes]:
        try:
            yield b"data: 1\n\n"
            for _ in range(PATIENCE * 100):
                yield b": heartbeat\n\n"
                time.sleep(0.01)
        finally:
            closed.append("closed")

    response = response_of(content(), pair)
    stream = iter(response)
    assert next(stream) == b"data: 1\n\n"
    sessions.revoke(pair.raw_refresh)
    rest = list(stream)
    assert rest.count(EVENT) == 1
    assert rest[-1] == EVENT
    response.close()
    assert closed == ["closed"]


def test_a_sync_stream_that_comes_to_its_end_is_complete(pair: TokenPair) -> None:
    assert list(response_of([b"1", b"2"], pair)) == [b"1", b"2"]


def test_a_sync_stream_that_a_client_leaves_is_not_watched(pair: TokenPair) -> None:
    def content() -> Iterator[bytes]:
        while True:
            yield b"1"

    before = held()
    response = response_of(content(), pair)
    stream = iter(response)
    assert next(stream) == b"1"
    response.close()
    wait_until_none_is_held(but=before)
    assert next(stream, None) is None


tenant: ContextVar[str] = ContextVar("tenant", default="none")


def test_a_stream_is_judged_in_the_context_of_its_view(
    pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOKENS_USER_RULE = "builtins.bool"
    seen: list[str] = []

    def note(*args: Any, context: Context, **options: Any) -> Any:
        seen.append(context[tenant])
        return watch(*args, context=context, **options)

    monkeypatch.setattr(streams, "watch", note)
    of_view = tenant.set("acme")
    response = response_of([b"1"], pair)
    tenant.reset(of_view)
    assert list(response) == [b"1"]
    assert seen == ["acme"]

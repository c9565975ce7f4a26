"""How the guard of a streaming response treats the iterator."""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from asgiref.sync import sync_to_async

from tests.connections.held import PATIENCE
from tests.connections.streaming import (
    EVENT,
    end,
    end_while_waiting,
    reach,
    response_of,
    run,
    stream_of,
)
from tokens.sessions import TokenPair

pytestmark = [pytest.mark.usefixtures("nothing_is_left"), pytest.mark.slow]

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def test_the_iterator_is_asked_for_a_chunk_when_the_client_wants_one(pair: TokenPair) -> None:
    made: list[int] = []

    async def content() -> AsyncIterator[bytes]:
        for number in range(5):
            made.append(number)
            yield b"%d" % number

    async def story() -> None:
        response = response_of(content(), pair)
        stream = aiter(response)
        for number in range(3):
            assert await anext(stream) == b"%d" % number
            await asyncio.sleep(0.01)
            assert made == list(range(number + 1))
        response.close()

    run(story)


def test_a_context_variable_that_the_iterator_sets_is_kept_and_can_be_reset(
    pair: TokenPair,
) -> None:
    @contextmanager
    def set_to(value: str) -> Iterator[None]:
        token = variable.set(value)
        yield
        variable.reset(token)  # Raises ValueError in another context.

    async def content() -> AsyncIterator[str]:
        yield variable.get()
        with set_to("inner"):
            yield variable.get()
            yield await sync_to_async(variable.get)()
        yield variable.get()

    async def story() -> list[bytes]:
        variable.set("outer")
        return [chunk async for chunk in stream_of(content(), pair)]

    assert run(story) == [b"outer", b"inner", b"inner", b"outer"]


def test_a_time_limit_of_the_iterator_spans_its_chunks(pair: TokenPair) -> None:
    async def content() -> AsyncIterator[bytes]:
        async with asyncio.timeout(PATIENCE):  # It belongs to one task.
            yield b"1"
            yield b"2"

    async def story() -> list[bytes]:
        return [chunk async for chunk in stream_of(content(), pair)]

    assert run(story) == [b"1", b"2"]


def test_the_iterator_is_closed_at_once_while_the_client_does_not_read(pair: TokenPair) -> None:
    closed: list[str] = []

    async def content() -> AsyncIterator[bytes]:
        try:
            yield b"data: 1\n\n"
            yield b"data: 2\n\n"
        finally:
            closed.append("closed")

    async def story() -> list[bytes]:
        stream = stream_of(content(), pair)
        assert await anext(stream) == b"data: 1\n\n"
        await end(pair)
        await reach(lambda: closed)  # No other chunk of the stream was asked for.
        return [chunk async for chunk in stream]

    assert run(story) == [EVENT]


def test_an_iterator_that_goes_on_after_its_cancellation_is_not_sent(pair: TokenPair) -> None:
    closed: list[str] = []

    async def content() -> AsyncIterator[bytes]:
        try:
            while True:
                try:
                    yield b"data: 1\n\n"
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    pass
        finally:
            closed.append("closed")

    async def story() -> list[bytes]:
        stream = stream_of(content(), pair)
        assert await end_while_waiting(stream, pair) == EVENT
        return [chunk async for chunk in stream]

    assert run(story) == []
    assert closed == ["closed"]


def test_the_client_is_told_before_the_iterator_has_cleaned_up(pair: TokenPair) -> None:
    cleaned: list[str] = []

    async def content() -> AsyncIterator[bytes]:
        may_end = asyncio.Event()
        try:
            yield b"data: 1\n\n"
            await asyncio.Event().wait()
        finally:
            asyncio.get_running_loop().call_later(0.2, may_end.set)
            await may_end.wait()
            cleaned.append("cleaned")

    async def story() -> None:
        stream = stream_of(content(), pair)
        assert await end_while_waiting(stream, pair) == EVENT
        assert cleaned == []
        assert [chunk async for chunk in stream] == []
        assert cleaned == ["cleaned"]  # It was cancelled once, and not while it cleaned up.

    run(story)


def test_what_the_iterator_raises_is_raised(pair: TokenPair) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        raise ZeroDivisionError

    async def story() -> list[bytes]:
        stream = stream_of(content(), pair)
        chunks = [await anext(stream)]
        with pytest.raises(ZeroDivisionError):
            await anext(stream)
        return chunks

    assert run(story) == [b"data: 1\n\n"]


def test_what_the_iterator_raises_while_it_is_cancelled_is_raised_after_the_event(
    pair: TokenPair,
) -> None:
    async def content() -> AsyncIterator[bytes]:
        try:
            yield b"data: 1\n\n"
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError

    async def story() -> None:
        stream = stream_of(content(), pair)
        assert await end_while_waiting(stream, pair) == EVENT
        with pytest.raises(ZeroDivisionError):
            await anext(stream)

    run(story)

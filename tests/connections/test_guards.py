"""The guards of WebSockets and streaming responses."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.http import HttpResponse, StreamingHttpResponse

from tests.connections.held import PATIENCE, claims_of
from tokens import sessions
from tokens.connections import guard_websocket, guarded
from tokens.connections.registry import Registry
from tokens.sessions import TokenPair


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message["text"]})
    scope["left"].append(message)


def test_a_websocket_closes_with_its_session(pair: TokenPair) -> None:
    left: list[Any] = []

    async def story() -> list[Any]:
        incoming: asyncio.Queue[Any] = asyncio.Queue()
        outgoing: asyncio.Queue[Any] = asyncio.Queue()
        scope = {"type": "websocket", "left": left}
        running = asyncio.ensure_future(
            guard_websocket(echo, scope, incoming.get, outgoing.put, claims=claims_of(pair))
        )
        await incoming.put({"type": "websocket.connect"})
        await incoming.put({"type": "websocket.receive", "text": "hello"})
        sent = [await asyncio.wait_for(outgoing.get(), PATIENCE) for _ in range(2)]
        await sync_to_async(sessions.revoke)(pair.raw_refresh)
        sent.append(await asyncio.wait_for(outgoing.get(), PATIENCE))
        await asyncio.wait_for(running, PATIENCE)
        return sent

    accept, message, close = async_to_sync(story)()
    assert accept["type"] == "websocket.accept"
    assert message["text"] == "hello"
    assert (close["type"], close["code"]) == ("websocket.close", 4401)
    assert close["reason"] == "The session has ended. Sign in again."
    assert (left[0]["type"], left[0]["code"]) == ("websocket.disconnect", 4401)


@pytest.mark.parametrize("kind", ["text/event-stream", "application/x-ndjson"])
def test_a_stream_stops_at_once_although_nothing_comes(pair: TokenPair, kind: str) -> None:
    closed = []

    async def content() -> AsyncIterator[bytes]:
        try:
            yield b"data: 1\n\n"
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async def story() -> list[bytes]:
        response = StreamingHttpResponse(content(), content_type=kind)
        stream = aiter(guarded(response, SimpleNamespace(auth=claims_of(pair))))
        chunks = [await asyncio.wait_for(anext(stream), PATIENCE)]
        await sync_to_async(sessions.revoke)(pair.raw_refresh)
        chunks += [chunk async for chunk in stream]
        return chunks

    first, *rest = async_to_sync(story)()
    assert first == b"data: 1\n\n"
    event = b'event: session-ended\ndata: {"code": "session_ended"}\n\n'
    assert rest == ([event] if kind == "text/event-stream" else [])
    assert closed == [True]


def test_a_stream_that_comes_to_its_end_is_complete(pair: TokenPair) -> None:
    async def content() -> AsyncIterator[bytes]:
        for number in range(5):
            yield b"%d" % number

    async def story() -> list[bytes]:
        return [each async for each in guarded(StreamingHttpResponse(content()), claims_of(pair))]

    assert async_to_sync(story)() == [b"0", b"1", b"2", b"3", b"4"]


def test_a_sync_stream_stops_at_its_next_item(pair: TokenPair, registry: Registry) -> None:
    def content() -> Iterator[bytes]:
        yield b"1"
        sessions.revoke(pair.raw_refresh)
        while registry._by_second:
            time.sleep(0.01)
        yield b"2"

    assert list(guarded(StreamingHttpResponse(content()), claims_of(pair))) == [b"1"]


def test_other_responses_are_returned_as_they_are(pair: TokenPair) -> None:
    plain = HttpResponse("x")
    assert guarded(plain, claims_of(pair)) is plain
    stream = StreamingHttpResponse([b"x"])
    assert list(guarded(stream, SimpleNamespace(auth=None))) == [b"x"]
    with pytest.raises(TypeError, match="claims of the access token"):
        guarded(stream, object())


def test_a_request_of_an_async_view_is_guarded_too(pair: TokenPair) -> None:
    found = sessions.authenticate(pair.raw_access)
    sessions.revoke(pair.raw_refresh)

    def content() -> Iterator[bytes]:
        for _ in range(PATIENCE * 100):
            yield b"1"
            time.sleep(0.01)

    for given in (found, SimpleNamespace(auth=found)):
        chunks = list(guarded(StreamingHttpResponse(content()), given))
        assert len(chunks) < PATIENCE * 100

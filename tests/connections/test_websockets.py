"""How the guard of a WebSocket treats the app, the server and the client."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from tests.connections.socket_server import Server, ends, run
from tokens.connections import websockets as module
from tokens.sessions import TokenPair

pytestmark = [pytest.mark.usefixtures("nothing_is_left"), pytest.mark.slow]

DISCONNECT = {"type": "websocket.disconnect", "code": 1001}


@pytest.fixture(autouse=True)
def _short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SENT_WITHIN", 0.1)
    monkeypatch.setattr(module, "RETURNS_WITHIN", 0.3)


async def wait_for_ever(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})
    await asyncio.Event().wait()


@pytest.mark.parametrize("receives", [True, False])
def test_an_app_that_ignores_the_disconnect_is_cancelled(pair: TokenPair, receives: bool) -> None:
    outcomes: list[str] = []
    received: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        try:
            while True:
                if receives:
                    received.append(await receive())
                    assert len(received) < 10, "receive() does not let the loop go on"
                else:
                    await asyncio.sleep(0.01)
                    await send({"type": "websocket.send", "text": "more"})
        except asyncio.CancelledError:
            outcomes.append("cancelled")
            raise

    server = run(pair, app, ends)
    assert outcomes == ["cancelled"]
    assert server.types()[-1] == "close"
    assert server.types().count("close") == 1
    assert [message["code"] for message in received] == ([4401] if receives else [])


def test_an_app_that_cleans_up_slowly_is_waited_for_and_cancelled_once(pair: TokenPair) -> None:
    cleaned: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await wait_for_ever(scope, receive, send)
        finally:
            await asyncio.sleep(0.3)
            cleaned.append("cleaned")

    run(pair, app, ends)
    assert cleaned == ["cleaned"]


@pytest.mark.parametrize("after", ["websocket.receive", "websocket.disconnect"])
def test_what_the_app_raises_is_raised(pair: TokenPair, after: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != after:
            pass
        raise ZeroDivisionError

    async def story(server: Server) -> None:
        if after == "websocket.receive":
            server.incoming.put_nowait({"type": after, "text": "x"})
        else:
            await server.end()
        with pytest.raises(ZeroDivisionError):
            await server.running

    run(pair, app, story)


def test_an_app_that_returns_ends_the_guard(pair: TokenPair) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await receive()
        await send({"type": "websocket.close", "code": 1000})

    async def story(server: Server) -> None:
        await server.running

    assert run(pair, app, story).sent[-1] == {"type": "websocket.close", "code": 1000}


def test_a_websocket_that_the_app_has_closed_gets_no_second_close_frame(pair: TokenPair) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})
        await receive()

    assert run(pair, app, ends).types() == ["accept", "close"]


def test_an_app_that_returns_in_the_moment_of_the_end_is_no_error(pair: TokenPair) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        while scope["tokens.connection"].is_open:
            await asyncio.sleep(0)

    assert run(pair, app, ends).types() in (["accept"], ["accept", "close"])


def test_a_client_that_leaves_first_gets_no_close_frame(pair: TokenPair) -> None:
    received: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        received.append(await receive())
        await asyncio.Event().wait()

    async def story(server: Server) -> None:
        server.incoming.put_nowait(DISCONNECT)
        await asyncio.sleep(0.01)
        await ends(server)

    assert run(pair, app, story).types() == ["accept"]
    assert received == [DISCONNECT]


def test_a_message_that_the_app_gave_up_waiting_for_is_not_lost(pair: TokenPair) -> None:
    received: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        while not received or received[-1] is None:
            try:
                async with asyncio.timeout(0.02):
                    received.append(await receive())
            except TimeoutError:
                received.append(None)

    async def story(server: Server) -> None:
        while not received:
            await asyncio.sleep(0.01)
        server.incoming.put_nowait(DISCONNECT)
        await server.running

    run(pair, app, story)
    assert received[0] is None
    assert received[-1] == DISCONNECT


def test_a_client_that_does_not_read_keeps_nothing_open(pair: TokenPair) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        while True:
            await send({"type": "websocket.send", "text": "x"})

    async def story(server: Server) -> None:
        async def takes(message: Any) -> None:
            await asyncio.Event().wait()

        server.takes = takes
        await asyncio.sleep(0.01)
        await ends(server)

    async def starting(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.02)
        await app(scope, receive, send)

    assert run(pair, starting, story).sent == []


@pytest.mark.parametrize("error", [OSError, RuntimeError])
def test_a_server_that_sends_no_close_frame_any_more_is_no_error(
    pair: TokenPair, error: type[Exception]
) -> None:
    async def story(server: Server) -> None:
        async def takes(message: Any) -> None:
            raise error

        server.takes = takes
        await ends(server)

    run(pair, wait_for_ever, story)


def test_a_message_that_comes_with_the_end_is_not_given_to_the_app(pair: TokenPair) -> None:
    received: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        while scope["tokens.connection"].is_open:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        received.append((await receive())["type"])

    async def story(server: Server) -> None:
        server.incoming.put_nowait({"type": "websocket.receive", "text": "x"})
        await ends(server)

    run(pair, app, story)
    assert received == ["websocket.disconnect"]


def test_an_app_that_has_refused_the_handshake_sends_its_whole_answer(pair: TokenPair) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.http.response.start", "status": 403, "headers": []})
        assert (await receive())["type"] == "websocket.disconnect"
        await send({"type": "websocket.http.response.body", "body": b"no"})

    assert run(pair, app, ends).types() == ["http.response.start", "http.response.body"]


def test_a_server_that_cancels_the_guard_cancels_the_app(pair: TokenPair) -> None:
    outcomes: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await receive()
        finally:
            outcomes.append("ended")

    async def story(server: Server) -> None:
        server.running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await server.running

    run(pair, app, story)
    assert outcomes == ["ended"]


@pytest.mark.parametrize("after", [0.05, 0.15, 0.4])
def test_a_cancellation_while_the_websocket_closes_is_not_lost(
    pair: TokenPair, after: float
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)

    async def story(server: Server) -> None:
        async def takes(message: Any) -> None:
            began.set()
            await asyncio.Event().wait()

        began = asyncio.Event()
        server.takes = takes
        await server.end()
        await began.wait()
        await asyncio.sleep(after)
        assert not server.running.done()
        server.running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await server.running

    run(pair, app, story)

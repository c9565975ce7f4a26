"""An open WebSocket and an open event stream of one session, in an event loop beside the test."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

from django.http import StreamingHttpResponse

from tests.connections.held import PATIENCE, claims_of
from tokens import clock
from tokens.connections import Connection, guard_websocket, guarded
from tokens.sessions import TokenPair


class Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Begin this work, and return its future."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """Cancel what still runs."""
        self.run(self._cancel_all()).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    async def _cancel_all(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.get_running_loop().shutdown_asyncgens()


class Socket:
    """An open WebSocket, whose app only waits."""

    def __init__(self, loop: Loop, pair: TokenPair) -> None:
        self._sent: Queue[Any] = Queue()
        self.connection: Connection
        self._running = loop.run(self._open(pair))
        assert self._sent.get(timeout=PATIENCE)["type"] == "websocket.accept"

    async def _open(self, pair: TokenPair) -> None:
        incoming: asyncio.Queue[Any] = asyncio.Queue()
        incoming.put_nowait({"type": "websocket.connect"})

        async def send(message: Any) -> None:
            self._sent.put(message)

        scope = {"type": "websocket"}
        await guard_websocket(self._app, scope, incoming.get, send, claims=claims_of(pair))

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.connection = scope["tokens.connection"]
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        assert (await receive())["type"] == "websocket.disconnect"

    @property
    def is_open(self) -> bool:
        return not self._running.done() and self._sent.empty()

    def end(self) -> str:
        """Wait for the close frame, and return its reason."""
        close = self._sent.get(timeout=PATIENCE)
        assert (close["type"], close["code"]) == ("websocket.close", 4401)
        self._running.result(PATIENCE)
        assert self._sent.empty()
        return str(close["reason"])


class Stream:
    """An open event stream, whose iterator only waits."""

    def __init__(self, loop: Loop, pair: TokenPair) -> None:
        self._sent: Queue[bytes] = Queue()
        self._running = loop.run(self._read(pair))
        assert self._sent.get(timeout=PATIENCE) == b": open\n\n"

    async def _read(self, pair: TokenPair) -> None:
        response = StreamingHttpResponse(self._events(), content_type="text/event-stream")
        async for chunk in guarded(response, claims_of(pair)):
            self._sent.put(chunk)

    async def _events(self) -> AsyncIterator[str]:
        yield ": open\n\n"
        await asyncio.Event().wait()

    @property
    def is_open(self) -> bool:
        return not self._running.done() and self._sent.empty()

    def end(self) -> str:
        """Wait for the event ``session-ended``, and return its code."""
        event, data = self._sent.get(timeout=PATIENCE).decode().splitlines()[:2]
        assert event == "event: session-ended"
        self._running.result(PATIENCE)
        assert self._sent.empty()
        return str(json.loads(data.removeprefix("data: "))["code"])


class Opened:
    """Both of one session."""

    def __init__(self, loop: Loop, pair: TokenPair) -> None:
        self.pair = pair
        self.socket, self.stream = Socket(loop, pair), Stream(loop, pair)

    def end(self) -> str:
        """Wait until both have ended, and return the code."""
        code = self.stream.end()
        assert self.socket.end()
        return code

    def stays_open(self) -> bool:
        """Return whether both are open after they have been judged twice more."""
        return stays_open(self.socket) and self.stream.is_open


def stays_open(socket: Socket) -> bool:
    for _ in range(2):
        before = clock.elapsed()
        while socket.connection.judged_at <= before and socket.is_open:
            assert clock.elapsed() < before + PATIENCE, "the connection is not judged"
            time.sleep(0.01)
    return socket.is_open


@contextmanager
def event_loop() -> Iterator[Loop]:
    loop = Loop()
    try:
        yield loop
    finally:
        loop.stop()

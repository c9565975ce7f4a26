"""The guard of an ASGI WebSocket app: the WebSocket closes when its session ends."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from logging import getLogger
from typing import Any

from ..database.places import Place
from ..jose import Claims
from .ends import WEBSOCKET_CLOSE_CODE, End
from .event_loop import stop, watched
from .registry import watch

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Receive, Send], Awaitable[None]]

# Seconds for a message that the app is sending, and for the app to return after it was disconnected.
SENT_WITHIN = 1.0
RETURNS_WITHIN = 5.0

logger = getLogger("tokens")


async def guard_websocket(
    app: App,
    scope: Any,
    receive: Receive,
    send: Send,
    *,
    claims: Claims,
    place: Place | None = None,
) -> None:
    """
    Run an ASGI WebSocket app, and close its WebSocket with 4401 when its session ends.

    ``scope["tokens.connection"]`` is the Connection, which the app renews with a newer access token. After
    the end the app receives ``websocket.disconnect`` once, and what it sends is dropped. If it does not
    return within RETURNS_WITHIN seconds, it is cancelled.
    """
    with watched(partial(watch, claims, place=place)) as (connection, ended):
        socket = _Socket(receive, send, ended)
        running = asyncio.create_task(
            _run(app, {**scope, "tokens.connection": connection}, socket.receive, socket.send)
        )
        try:
            both: set[asyncio.Future[Any]] = {running, ended}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                await socket.close()
                await asyncio.wait({running}, timeout=RETURNS_WITHIN)
        finally:
            try:
                await stop(running)
            finally:
                await socket.forget()


async def _run(app: App, scope: Any, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


class _Socket:
    """What the app has in place of the server's ``receive`` and ``send``."""

    def __init__(self, receive: Receive, send: Send, ended: "asyncio.Future[End]") -> None:
        self._receive, self._send, self._ended = receive, send, ended
        self._receiving: asyncio.Task[Message] | None = None
        self._sending = asyncio.Lock()
        self._is_over = False  # The client has left, or the app has closed the WebSocket.
        self._is_app_told = False

    async def receive(self) -> Message:
        if self._is_app_told:
            # An app that ignores the disconnect, and only receives, would never let the loop go on.
            await asyncio.get_running_loop().create_future()
        if not self._ended.done():
            if self._receiving is None:
                # A task of its own: if the app gives up waiting, a message that comes is not lost.
                self._receiving = asyncio.create_task(self._receive_next())
            both: set[asyncio.Future[Any]] = {self._receiving, self._ended}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if self._ended.done():
            self._is_app_told = True
            return _message("websocket.disconnect", self._ended.result())
        received, self._receiving = self._receiving, None
        assert received is not None  # noqa: S101  # It was set above.
        return received.result()

    async def send(self, message: Message) -> None:
        async with self._sending:
            if self._ended.done() and not self._is_over:
                return
            if message["type"] in {"websocket.close", "websocket.http.response.start"}:
                self._is_over = True
            await self._send(message)

    async def close(self) -> None:
        """Send the close frame, or refuse the handshake, unless the app or the client has done it."""
        try:
            # The client may read nothing, so that a message of the app waits for ever.
            async with asyncio.timeout(SENT_WITHIN), self._sending:
                pass
        except TimeoutError:
            logger.info("a WebSocket ends while its client does not read")
        if self._is_over:
            return
        try:
            async with asyncio.timeout(SENT_WITHIN):
                await self._send(_message("websocket.close", self._ended.result()))
        except Exception as error:  # Servers raise different ones when the client has just left.
            logger.info("a WebSocket ends without a close frame: %r", error)

    async def forget(self) -> None:
        if self._receiving is not None:
            await stop(self._receiving)

    async def _receive_next(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._is_over = True
        return message


def _message(type: str, end: End) -> Message:
    return {"type": type, "code": WEBSOCKET_CLOSE_CODE, "reason": end.reason}

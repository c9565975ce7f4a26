"""Stories of one guarded WebSocket in an event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async

from tests.connections.held import PATIENCE, claims_of
from tests.connections.memory import wait_until_no_task_is_left
from tokens import sessions
from tokens.connections import guard_websocket
from tokens.sessions import TokenPair


class Server:
    """The server's side of one WebSocket, which the guard has accepted."""

    def __init__(self, pair: TokenPair) -> None:
        self._pair = pair
        self.incoming: asyncio.Queue[Any] = asyncio.Queue()
        self.sent: list[Any] = []
        self.takes: Callable[[Any], Awaitable[None]] = self._take
        self.running: asyncio.Task[None]

    async def _take(self, message: Any) -> None:
        self.sent.append(message)

    async def _send(self, message: Any) -> None:
        await self.takes(message)

    async def serve(self, app: Any) -> None:
        claims = claims_of(self._pair)
        self.running = asyncio.create_task(
            guard_websocket(app, {}, self.incoming.get, self._send, claims=claims)
        )
        await asyncio.sleep(0.01)

    async def end(self) -> None:
        await sync_to_async(sessions.revoke)(self._pair.raw_refresh)

    def types(self) -> list[str]:
        return [message["type"].partition(".")[2] for message in self.sent]


def run(pair: TokenPair, app: Any, story: Callable[["Server"], Awaitable[None]]) -> Server:
    """Serve the app during the story, with a bound, and assert that no task is left."""

    async def bounded() -> Server:
        async with asyncio.timeout(PATIENCE):
            server = Server(pair)
            await server.serve(app)
            await story(server)
            await wait_until_no_task_is_left()
        return server

    return async_to_sync(bounded)()


async def ends(server: Server) -> None:
    await server.end()
    await server.running

"""Stories of one guarded stream in an event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async
from django.http import StreamingHttpResponse

from tests.connections.held import PATIENCE, claims_of
from tests.connections.memory import wait_until_no_task_is_left
from tokens import sessions
from tokens.connections import guarded
from tokens.sessions import TokenPair

EVENT = b'event: session-ended\ndata: {"code": "session_ended"}\n\n'


def run(story: Callable[[], Awaitable[Any]]) -> Any:
    """Run the story with a bound, and assert that it leaves no task."""

    async def bounded() -> Any:
        async with asyncio.timeout(PATIENCE):
            found = await story()
        await wait_until_no_task_is_left()
        return found

    return async_to_sync(bounded)()


def response_of(content: Any, pair: TokenPair, kind: str = "text/event-stream") -> Any:
    return guarded(StreamingHttpResponse(content, content_type=kind), claims_of(pair))


def stream_of(*args: Any) -> Any:
    return aiter(response_of(*args))


async def end(pair: TokenPair) -> None:
    await sync_to_async(sessions.revoke)(pair.raw_refresh)


async def end_while_waiting(stream: Any, pair: TokenPair) -> bytes:
    """Take a chunk, wait for another one, end the session, and return what came."""
    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await end(pair)
    return bytes(await waiting)


async def reach(condition: Callable[[], Any]) -> None:
    while not condition():
        await asyncio.sleep(0.01)

"""The guard of a streaming response: the stream stops when its session ends."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import aclosing
from contextvars import copy_context
from functools import partial
from typing import Any, Self, TypeVar

from ..database.places import place_of
from ..jose import Claims
from ..models import Session
from ..sessions import Authenticated
from .ends import End
from .event_loop import Watch, cancel_once, stop, watched
from .registry import watch

Response = TypeVar("Response")

# An empty line: two ends of lines, each of which may be CR, LF or both (HTML, §9.2.5).
_END_OF_EVENT = re.compile(rb"(\r\n|\n|\r(?!\n))(\r\n|\n|\r)\Z")


def guarded(response: Response, claims_or_request: Any) -> Response:
    """
    Return the response, whose stream stops when the session of the claims ends.

    The claims, or the request whose ``auth`` has them. A response that does not stream is returned as it
    is, and so is one to a request that no access token authenticated. A ``text/event-stream`` ends with an
    event ``session-ended``. Raises TypeError for a request without ``auth``.

    An async iterator is cancelled at once. A sync iterator cannot be interrupted: nothing that
    it yields after the end is sent.
    """
    claims = _claims_of(claims_or_request)
    streaming: Any = response
    if claims is None or not streaming.streaming:
        return response
    content_type = streaming.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    # Of the request: its tenant may have been left when the first chunk is sent.
    watch_this = partial(watch, claims, place=place_of(Session), context=copy_context())
    content = streaming.streaming_content
    last = _LastEvent(content_type == "text/event-stream")
    if streaming.is_async:
        streaming.streaming_content = _Closable(_until_end_async(content, watch_this, last))
    else:
        streaming.streaming_content = _until_end(content, watch_this, last)
    return response


def _claims_of(claims_or_request: Any) -> Claims | None:
    found = claims_or_request
    if not isinstance(found, Claims | Authenticated):
        if not hasattr(found, "auth"):
            raise TypeError(
                "guarded() needs the claims of the access token, or a request whose auth has them, as in "
                "a view of Django REST framework."
            )
        found = found.auth
    if isinstance(found, Authenticated):  # In async views.
        found = found.claims
    return found if isinstance(found, Claims) else None


class _LastEvent:
    """Knows whether an event can follow what was sent."""

    def __init__(self, is_events: bool) -> None:
        self._is_events = is_events
        self._tail = b"\n\n"

    def after(self, chunk: bytes) -> bytes:
        if self._is_events:
            self._tail = (self._tail + chunk)[-4:]
        return chunk

    def of(self, end: End) -> Iterator[bytes]:
        """Yield the last event. After a part of an event there is none: clients drop the part."""
        if self._is_events and _END_OF_EVENT.search(self._tail):
            yield f"event: session-ended\ndata: {json.dumps({'code': end.code})}\n\n".encode()


def _until_end(content: Iterable[bytes], watch_this: Watch, last: _LastEvent) -> Iterator[bytes]:
    ended: list[End] = []
    with watch_this(ended.append):
        for chunk in content:
            if ended:
                break
            yield last.after(chunk)
        if ended:
            yield from last.of(ended[0])


class _Closable:
    """
    The chunks, which Django can close together with the response.

    It closes no async generator itself if the client leaves while a chunk is sent. Nothing else would
    then end the task that reads the content.
    """

    def __init__(self, chunks: AsyncGenerator[bytes]) -> None:
        self._chunks = chunks
        self._loop: asyncio.AbstractEventLoop | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self._loop = asyncio.get_running_loop()
        return await anext(self._chunks)

    def close(self) -> None:
        """
        Begin to close the chunks if they were begun.

        Django calls it in a thread, and ignores what it raises, as when the loop is closed.
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._begin_to_close)

    def _begin_to_close(self) -> None:
        self._closing = asyncio.ensure_future(self._chunks.aclose())


async def _until_end_async(
    content: AsyncGenerator[bytes], watch_this: Watch, last: _LastEvent
) -> AsyncGenerator[bytes]:
    wanted: asyncio.Queue[asyncio.Future[bytes] | None] = asyncio.Queue()
    with watched(watch_this) as (_, ended):
        reading = asyncio.create_task(_read(content, wanted))
        # At once, also while this generator waits for a client that does not read.
        ended.add_done_callback(lambda _: cancel_once(reading))
        try:
            while True:
                chunk: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
                wanted.put_nowait(chunk)
                first: set[asyncio.Future[Any]] = {chunk, reading, ended}
                await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
                if ended.done() or not chunk.done():
                    break
                yield last.after(chunk.result())
            if ended.done():
                for event in last.of(ended.result()):
                    yield event
        finally:
            wanted.put_nowait(None)  # For content that goes on after it was cancelled.
            # Without a limit: where Django serves, the thread of this request has to be free again.
            await stop(reading)


async def _read(
    content: AsyncGenerator[bytes], wanted: "asyncio.Queue[asyncio.Future[bytes] | None]"
) -> None:
    """
    Put the next chunk into each future that is wanted.

    In one task, because a generator may enter a context in one step and leave it in another.
    """
    async with aclosing(content):
        while (chunk := await wanted.get()) is not None:
            try:
                chunk.set_result(await anext(content))
            except StopAsyncIteration:
                return

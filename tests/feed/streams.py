"""Open streams of events, each read as a client reads it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from asgiref.sync import async_to_sync
from django.test import AsyncClient

from tests.feed.conftest import ADDRESS
from tests.feed.reader import Reader
from tokens.models import DeniedToken

EVENTS = f"{ADDRESS}events/"


class Events:
    """An open stream, of which each event is read by ``await events.next()``."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.chunks = response._iterator

    async def next(self) -> tuple[str, str]:
        chunk = await asyncio.wait_for(anext(self.chunks), 60)
        name, cursor, data, *rest = chunk.decode().split("\n")
        assert name == "event: denials"
        assert rest == ["", ""]
        return cursor.removeprefix("id: "), data.removeprefix("data: ")

    async def ends_soon(self) -> bool:
        """Read ten more at most: one may be on its way, and the keys are read once a second."""
        try:
            for _ in range(10):
                await self.next()
        except StopAsyncIteration:
            return True
        return False

    async def is_over(self) -> bool:
        """Read the rest, and return whether there is an end."""
        with suppress(StopAsyncIteration):
            while True:
                await asyncio.wait_for(anext(self.chunks), 60)
        return True


@asynccontextmanager
async def stream(after: str | None = None, **headers: str) -> AsyncIterator[Events]:
    address = f"{EVENTS}?after={after}" if after else EVENTS
    response = await AsyncClient().get(address, headers=headers)
    assert response.status_code == 200
    events = Events(response)
    try:
        yield events
    finally:
        await events.chunks.aclose()  # The client leaves.


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async_to_sync(story)()


async def apply_until(events: Events, reader: Reader, denial: DeniedToken) -> None:
    while (denial.kind, denial.value) not in reader.denied:
        cursor, document = await events.next()
        assert reader.apply(document)["to"] == cursor

"""Streams with and without a guard, and what is left of them in this process."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.urls import path
from rest_framework.permissions import IsAuthenticated
from rest_framework.views import APIView

from tests.connections.memory import held
from tokens.authentication import JWTAuthentication, token_required
from tokens.connections import guarded

EVENT_STREAM = "text/event-stream"
closed: list[str] = []  # The names of the iterators that were closed.


async def silence() -> AsyncIterator[str]:
    try:
        yield "data: open\n\n"
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        closed.append("silence")


async def ticks() -> AsyncIterator[str]:
    while True:
        yield "data: tick\n\n"
        await asyncio.sleep(0.05)


async def flood() -> AsyncIterator[bytes]:
    try:
        while True:
            yield b":" + b"x" * 65536 + b"\n\n"
    finally:
        closed.append("flood")


async def failure() -> AsyncIterator[str]:
    yield "data: open\n\n"
    raise ZeroDivisionError


def sync_ticks() -> Iterator[str]:
    try:
        while True:
            yield "data: tick\n\n"
            time.sleep(0.05)
    finally:
        closed.append("sync")


def view(content: Callable[[], Any], guard: Any = guarded) -> Any:
    @token_required
    async def stream(request: HttpRequest) -> Any:
        return guard(StreamingHttpResponse(content(), content_type=EVENT_STREAM), request)

    return stream


def unguarded(response: Any, request: Any) -> Any:
    return response


class SyncView(APIView):
    authentication_classes = [JWTAuthentication]
    permission_classes = [IsAuthenticated]
    guard = staticmethod(guarded)

    def get(self, request: Any) -> Any:
        return self.guard(StreamingHttpResponse(sync_ticks(), content_type=EVENT_STREAM), request)


def state(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"watched": len(held()), "closed": closed})


async def async_state(request: HttpRequest) -> JsonResponse:
    """Tell the same without a collection of garbage, and the number of tasks."""
    gc.disable()
    tasks = len(asyncio.all_tasks())
    return JsonResponse({"tasks": tasks, "closed": closed})


urlpatterns = [
    path("readyz", state),
    path("state/", state),
    path("tasks/", async_state),
    path("silence/", view(silence)),
    path("ticks/", view(ticks)),
    path("unguarded/", view(ticks, unguarded)),
    path("flood/", view(flood)),
    path("failure/", view(failure)),
    path("sync/", SyncView.as_view()),
    path("sync-unguarded/", SyncView.as_view(guard=unguarded)),
]

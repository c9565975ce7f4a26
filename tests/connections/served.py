"""The site of served_urls for ASGI, with WebSockets under a guard, and for WSGI."""

import asyncio
import os
from typing import Any

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.connections.served_settings")
django_application = get_asgi_application()
wsgi_application = get_wsgi_application()

from tokens import sessions  # noqa: E402  # Django is set up first.
from tokens.connections import guard_websocket  # noqa: E402


async def echo(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message["text"]})


async def stubborn(scope: Any, receive: Any, send: Any) -> None:
    """Ignore the disconnect."""
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        await receive()


async def failing(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
    raise ZeroDivisionError


async def flooding(scope: Any, receive: Any, send: Any) -> None:
    """Send as much as the client reads, and never receive."""
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        await send({"type": "websocket.send", "text": "x" * 65536})
        await asyncio.sleep(0)


APPS = {f"/{app.__name__}/": app for app in (echo, stubborn, failing, flooding)}


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await django_application(scope, receive, send)
    elif scope["type"] == "websocket":
        header = dict(scope["headers"])[b"authorization"].decode()
        found = await sessions.aauthenticate(header.removeprefix("Bearer "))
        app = APPS[scope["path"]]
        await guard_websocket(app, scope, receive, send, claims=found.claims)
    else:
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})

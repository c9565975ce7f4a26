"""
An application for real servers.

    /ws/         a plain ASGI echo
    /channels/   a consumer of Channels, if it is installed
    /first/…     the same, with a token in the first message
    elsewhere    Django
"""

import os
from importlib.util import find_spec
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django_application = get_asgi_application()

from tokens.asgi import JWTMiddleware, authenticate  # noqa: E402  # Django is set up first.


async def plain(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        if scope["path"] != "/me/":
            await django_application(scope, receive, send)
            return
        body = str(await authenticate(scope)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
        return
    await receive()
    await send({"type": "websocket.accept", "subprotocol": chosen(scope)})
    await send({"type": "websocket.send", "text": str(scope["user"])})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message["text"]})


def chosen(scope: Any) -> str | None:
    """Return a subprotocol, as an application does that speaks all of them."""
    return next(iter(scope["subprotocols"]), None)


def consumer() -> Any:
    from channels.generic.websocket import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
        AsyncWebsocketConsumer,
    )

    class Echo(AsyncWebsocketConsumer):  # type: ignore[misc,unused-ignore]
        async def connect(self) -> None:
            await self.accept(chosen(self.scope))
            await self.send(str(self.scope["user"]))

        async def receive(self, text_data: Any = None, bytes_data: Any = None) -> None:
            await self.send(text_data)

    return Echo.as_asgi()


channels = consumer() if find_spec("channels") else plain


async def routed(scope: Any, receive: Any, send: Any) -> None:
    app = channels if scope["path"].endswith("/channels/") else plain
    await app(scope, receive, send)


with_user = JWTMiddleware(routed, required=False)
with_required_user = JWTMiddleware(routed, required=True)
with_first_message = JWTMiddleware(routed, first_message=True, subprotocols=("chat.v2", "chat.v1"))


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        is_first = scope["path"].startswith("/first/")
        app = with_first_message if is_first else with_required_user
        await app(scope, receive, send)
    elif scope["type"] == "http":
        await with_user(scope, receive, send)
    else:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

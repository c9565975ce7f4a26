"""An application whose WebSockets only wait, behind the middleware of this app."""

import os
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.open_connections.settings")
django.setup()


async def wait(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


def application_of(app: Any) -> Any:
    from tokens.asgi import JWTMiddleware  # Django has to be set up first.

    return JWTMiddleware(app, required=True)


application = application_of(wait)

if folder := os.environ.get("CONNECTIONS_STARTED"):
    Path(folder, str(os.getpid())).touch()  # This worker accepts connections from now on.

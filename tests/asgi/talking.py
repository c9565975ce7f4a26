"""A WebSocket in memory: an application that says who came, and a client of it."""

import asyncio
import json
from typing import Any

from asgiref.sync import async_to_sync

from tokens.asgi import JWTMiddleware

OWN = b"http://testserver"
PATIENCE = 30


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Say who came and what was left in the scope, and then send back what comes."""
    await receive()
    await send({"type": "websocket.accept"})
    offered, query = scope["subprotocols"], scope["query_string"].decode()
    text = json.dumps({"user": str(scope["user"]), "offered": offered, "query": query})
    await send({"type": "websocket.send", "text": text})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message.get("text")})


def talk(
    *texts: Any,
    headers: Any = (),
    subprotocols: Any = (),
    query: str = "",
    extension: bool = True,
    scope: Any = None,
    app: Any = None,
    spoken: Any = (),
    host: bytes = b"testserver",
    on_send: Any = None,
    **options: Any,
) -> list[Any]:
    """Open a WebSocket, send these messages, leave, and return what the server has sent."""
    scope = {
        **(scope or {}),
        "type": "websocket",
        "path": (scope or {}).get("path", "/ws/"),
        "scheme": "ws",
        "query_string": query.encode(),
        "headers": [(b"host", host), *headers],
        "subprotocols": list(subprotocols),
        "extensions": {"websocket.http.response": {}} if extension else {},
    }
    sent: list[Any] = []

    async def story() -> None:
        incoming: asyncio.Queue[Any] = asyncio.Queue()
        await incoming.put({"type": "websocket.connect"})
        for text in texts:
            kind = "bytes" if isinstance(text, bytes) else "text"
            await incoming.put({"type": "websocket.receive", kind: text})
        if texts or not options.get("first_message"):
            await incoming.put({"type": "websocket.disconnect", "code": 1000})

        async def send(message: Any) -> None:
            sent.append(message)
            if on_send:
                on_send(message)

        running = JWTMiddleware(app or echo, subprotocols=spoken, **options)(
            scope, incoming.get, send
        )
        await asyncio.wait_for(running, PATIENCE)

    async_to_sync(story)()
    assert "lktk_" not in scope["query_string"].decode()
    return sent


def bearer(token: str) -> Any:
    return [(b"authorization", f"Bearer {token}".encode())]


def cookie(token: str, origin: bytes | None = OWN) -> Any:
    found = [(b"cookie", f"latchkey_access={token}".encode())]
    return [*found, (b"origin", origin)] if origin is not None else found


def hello(sent: list[Any]) -> Any:
    assert sent[0]["type"] == "websocket.accept", sent
    return json.loads(sent[1]["text"])


def status(sent: list[Any]) -> int:
    assert sent[0]["type"] == "websocket.http.response.start", sent
    return int(sent[0]["status"])


def authenticate(token: str) -> str:
    return json.dumps({"type": "authenticate", "token": token})

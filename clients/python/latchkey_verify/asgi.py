"""Middleware for ASGI: ``scope["latchkey"]`` is the token, or None where ``required`` is False."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .errors import NoToken, VerifyError
from .verifier import Verifier, credential_of

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]


class TokenMiddleware:
    def __init__(self, app: App, verifier: Verifier, *, required: bool = True) -> None:
        self.app, self.verifier, self.required = app, verifier, required

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        sent = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
        try:
            raw = credential_of(b",".join(sent).decode("latin-1"))
            scope["latchkey"] = await self.verifier.averify(raw)
        except VerifyError as error:
            if not isinstance(error, NoToken) or self.required:
                return await _refuse(scope, receive, send, error)
            scope["latchkey"] = None
        return await self.app(scope, receive, send)


async def _refuse(scope: Scope, receive: Any, send: Send, error: VerifyError) -> None:
    if scope["type"] == "websocket":  # Closed before it is accepted: the server answers 403.
        await receive()
        return await send({"type": "websocket.close", "code": 1008})
    headers = [(name.lower().encode(), value.encode()) for name, value in error.headers]
    headers.append((b"content-type", b"application/json"))
    start = {"type": "http.response.start", "status": error.status, "headers": headers}
    await send(start)
    return await send({"type": "http.response.body", "body": error.body})

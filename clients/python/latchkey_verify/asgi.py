"""Middleware for ASGI: ``scope["latchkey"]`` is the token, or None if none is required."""

from collections.abc import Awaitable, Callable
from typing import Any

from .errors import VerifyError
from .verifier import Verifier, credential_of

Call = Callable[..., Awaitable[None]]


class TokenMiddleware:
    def __init__(self, app: Call, verifier: Verifier, *, required: bool = True) -> None:
        self.app, self.verifier, self.required = app, verifier, required

    async def __call__(self, scope: Any, receive: Any, send: Call) -> None:
        if scope["type"] in ("http", "websocket"):
            sent = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
            try:
                raw = credential_of(b",".join(sent).decode("latin-1"), required=self.required)
                scope["latchkey"] = await self.verifier.averify(raw) if raw else None
            except VerifyError as error:
                return await _refuse(scope, receive, send, error)
        return await self.app(scope, receive, send)


async def _refuse(scope: Any, receive: Any, send: Call, error: VerifyError) -> None:
    if scope["type"] == "websocket":  # Closed before it is accepted: the server answers 403.
        await receive()
        return await send({"type": "websocket.close", "code": 1008})
    headers = [(name.lower().encode(), value.encode()) for name, value in error.headers]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    return await send({"type": "http.response.body", "body": error.body})

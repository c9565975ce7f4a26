"""JWTMiddleware: the user of each request and WebSocket of an ASGI application."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from rest_framework.exceptions import NotAuthenticated

from . import answers, handshakes, lookup
from .answers import Message, Receive, Send
from .credentials import Kind, Scope
from .handshakes import Options
from .lookup import Lookup

App = Callable[[Any, Receive, Send], Awaitable[None]]


class JWTMiddleware:
    """
    Set ``scope["user"]`` and ``scope["claims"]`` for any ASGI application, Channels' included.

    For HTTP they are looked up when they are used: in asynchronous code by
    ``await tokens.asgi.authenticate(scope)``. A WebSocket is authenticated before the application
    runs, and closes when its session ends. A refused credential is answered at once for a
    WebSocket. For HTTP it leaves an AnonymousUser.

        required        refuse requests and handshakes without a good credential
        first_message   let a WebSocket without another credential authenticate by its first
                        message, and close it if it does not
        subprotocols    those that the application speaks: with ``first_message`` the WebSocket is
                        accepted with the first of the client's that is one of them
        load_user       load the user of a WebSocket in snapshot mode, too; without it only the
                        user's key is known, and the handshake needs no query
        renewal         take messages of the type "authenticate" out of an authenticated WebSocket,
                        by which a client shows a newer access token
    """

    def __init__(
        self,
        app: App,
        *,
        required: bool = False,
        first_message: bool = False,
        renewal: bool = True,
        subprotocols: Iterable[str] = (),
        load_user: bool = True,
    ) -> None:
        if isinstance(subprotocols, str):
            raise TypeError(f'Write the subprotocols as a tuple: ("{subprotocols}",).')
        self.app = app
        self.required = required
        self.options = Options(
            required=required,
            first_message=first_message,
            renewal=renewal,
            load_user=load_user,
            subprotocols=tuple(subprotocols),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer_request(scope, receive, send)
        elif scope["type"] == "websocket":
            await handshakes.serve(self.app, scope, receive, send, self.options)
        else:
            await self.app(scope, receive, send)

    async def _answer_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The scope itself is changed: servers log its query, and ``tickets`` takes the ticket out of it.
        found = lookup.prepare(scope)
        if self.required:
            try:
                is_authenticated = await found.ask() is not None
            except answers.ERRORS as error:
                await answers.send_answer(send, answers.refusal_of(error))
                return
            if not is_authenticated:
                await answers.send_answer(send, found.refusal or NotAuthenticated())
                return

        async def send_private(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _private(message.get("headers") or (), found)}
            await send(message)

        await self.app(scope, receive, send_private)


def _private(headers: Any, found: Lookup) -> list[tuple[bytes, bytes]]:
    """Return the headers with those that keep an answer to a token out of caches."""
    result = [(bytes(name), bytes(value)) for name, value in headers]
    if not found.was_asked:
        return result
    if found.found is not None:
        stored = [value for name, value in result if name.lower() == b"cache-control"]
        if not any(b"no-store" in value.lower() for value in stored):
            result = [pair for pair in result if pair[0].lower() != b"cache-control"]
            result.append((b"cache-control", b"no-store"))
    if found.kind is not Kind.HEADER:
        result.append((b"vary", b"Cookie"))
    return result

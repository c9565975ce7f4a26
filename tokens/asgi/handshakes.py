"""The credential of a WebSocket, decided before the application runs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from rest_framework.exceptions import NotAuthenticated

from ..jose import Claims
from ..sessions import Authenticated
from . import answers, credentials, deadlines, messages, optional
from .answers import Message, Receive, Send
from .credentials import MARKER, Credential, Kind, Scope
from .lookup import set_found
from .renewing import Renewing

App = Callable[[Any, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Options:
    """Those of JWTMiddleware."""

    required: bool
    first_message: bool
    renewal: bool
    load_user: bool
    subprotocols: tuple[str, ...]


async def serve(app: App, scope: Scope, receive: Receive, send: Send, options: Options) -> None:
    """Authenticate a WebSocket, and run the application for it until its session ends."""
    # The server's own scope is changed: uvicorn logs its query when the socket is accepted.
    was_marked = MARKER in (scope.get("subprotocols") or [])
    taken = credentials.take(scope)
    scope = {**scope}
    try:
        found = await _authenticate(taken, scope, options)
        if found is None and options.required and not options.first_message:
            raise NotAuthenticated
    except answers.ERRORS as error:
        await answers.refuse_handshake(scope, receive, send, error)
        return
    if was_marked:
        send = _accepting_marker(send)
    if found is None and options.first_message:
        found = await _by_first_message(scope, receive, send, options)
        if found is None:
            return
        # It is too late for an answer of HTTP.
        extensions = scope.get("extensions") or {}
        scope["extensions"] = {
            name: value for name, value in extensions.items() if name != answers.EXTENSION
        }
        receive, send = _already_accepted(receive, send)
    set_found(scope, found)
    if found is None:
        await app(scope, receive, send)
    else:
        await _run_guarded(app, scope, receive, send, found.claims, options)


async def _authenticate(
    taken: list[Credential], scope: Scope, options: Options
) -> Authenticated | None:
    request = credentials.request_of(scope)
    credential = credentials.only_one(taken, request)
    if credential is None:
        return None
    return await _judge(credential, options, path=request.path)


async def _judge(credential: Credential, options: Options, *, path: str = "") -> Authenticated:
    found = await credentials.authenticate(credential, path=path)
    return await credentials.load_user(found) if options.load_user else found


async def _run_guarded(
    app: App, scope: Scope, receive: Receive, send: Send, claims: Claims, options: Options
) -> None:
    async def run(scope: Any, receive: Receive, send: Send) -> None:
        if not options.renewal:
            await app(scope, receive, send)
            return
        renewing = Renewing(receive, send, claims, scope.get("tokens.connection"))
        try:
            await app(scope, renewing.receive, renewing.send)
        finally:
            await renewing.forget()

    guard = optional.guard()
    if guard is None:
        await run(scope, receive, send)
    else:
        await guard(run, scope, receive, send, claims=claims)


async def _by_first_message(
    scope: Scope, receive: Receive, send: Send, options: Options
) -> Authenticated | None:
    """Accept the socket, and return what its first message stands for, or close it and return None."""
    if (await receive())["type"] != "websocket.connect":
        return None
    await send({"type": "websocket.accept", "subprotocol": _accept_subprotocol(scope, options)})
    over = deadlines.begin()
    receiving = asyncio.ensure_future(receive())
    both: set[asyncio.Future[Any]] = {receiving, over}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not receiving.done():
            raise NotAuthenticated
        message = receiving.result()
        if message["type"] != "websocket.receive":
            return None
        token = messages.first_token(message)
        found = await _judge(Credential(Kind.MESSAGE, token), options)
    except answers.ERRORS as error:
        await answers.close(send, error)
        return None
    finally:
        for future in both:
            future.cancel()
    await send(messages.authenticated(found.claims))
    return found


def _accept_subprotocol(scope: Scope, options: Options) -> str | None:
    """Return the first of the client's subprotocols that the application speaks, and offer it no other."""
    offered = scope.get("subprotocols") or []
    accepted = [name for name in offered if name in options.subprotocols][:1]
    credentials.offer(scope, accepted)
    return accepted[0] if accepted else None


def _accepting_marker(send: Send) -> Send:
    """
    Accept the marker, unless the application accepts another subprotocol.

    Browsers close a socket that accepts none of the subprotocols that they offered.
    """

    async def send_with_marker(message: Message) -> None:
        if message["type"] == "websocket.accept" and not message.get("subprotocol"):
            message = {**message, "subprotocol": MARKER}
        await send(message)

    return send_with_marker


def _already_accepted(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Let the application connect and accept, after that has happened."""
    is_told = False

    async def receive_connect() -> Message:
        nonlocal is_told
        if not is_told:
            is_told = True
            return {"type": "websocket.connect"}
        return await receive()

    async def send_accepted(message: Message) -> None:
        if message["type"] != "websocket.accept":
            await send(message)

    return receive_connect, send_accepted

"""A newer access token over an authenticated WebSocket."""

import asyncio
from contextlib import suppress
from typing import Any

from ..errors import WrongClaims
from ..jose import Claims
from ..secret import Secret
from . import answers, credentials, messages
from .answers import Message, Receive, Send
from .credentials import Credential, Kind

# Seconds between two tokens of one socket. Each may cost a query, and one client could send thousands.
RENEWED_EVERY = 1.0

# After these a server raises an error for anything more.
_LAST = {"websocket.close", "websocket.http.response.start"}


class Renewing:
    """What the client sends, without the messages by which it shows newer access tokens."""

    def __init__(self, receive: Receive, send: Send, claims: Claims, connection: Any) -> None:
        self._receive, self._send = receive, send
        self._claims, self._connection = claims, connection
        self._next: asyncio.Future[Message] | None = None
        self._not_before = 0.0  # by the clock of the event loop
        self._is_closed = False

    async def receive(self) -> Message:
        # A task of its own: if the application gives up waiting, a token that came is not lost.
        if self._next is None:
            self._next = asyncio.ensure_future(self._read())
        await asyncio.wait({self._next})
        read, self._next = self._next, None
        return read.result()

    async def send(self, message: Message) -> None:
        if message["type"] in _LAST:
            self._is_closed = True
        await self._send(message)

    async def forget(self) -> None:
        if self._next is not None:
            self._next.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._next

    async def _read(self) -> Message:
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            try:
                token = messages.token_in(message)
                if token is None:
                    return message
                await self._wait()
                answer = messages.authenticated(await self._take_newer(token))
            except answers.ERRORS as error:
                answer = messages.failed(answers.refusal_of(error))
            if not self._is_closed:
                with suppress(OSError):  # The client has left, which the next message tells.
                    await self._send(answer)

    async def _wait(self) -> None:
        """Let the client wait that sends many tokens, with its other messages behind them."""
        now = asyncio.get_running_loop().time
        if (rest := self._not_before - now()) > 0:
            await asyncio.sleep(rest)
        self._not_before = now() + RENEWED_EVERY

    async def _take_newer(self, token: Secret[str]) -> Claims:
        found = await credentials.authenticate(Credential(Kind.MESSAGE, token))
        claims = found.claims
        if self._connection is not None:
            self._connection.renew(claims)
        elif (claims.sid, claims.sub) != (self._claims.sid, self._claims.sub):
            raise WrongClaims(f"The token is not one of session {self._claims.sid} and its user.")
        return claims

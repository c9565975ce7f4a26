"""
``python -m tests.open_connections.holder PORT``: hold a WebSocket for each access token, and tell of ends.

Reads a number and a token per line until an empty line, and prints lines of JSON: ``done`` with how many have
been opened so far, ``result`` with how many are open when all have been tried, and then for each that ends
its number, the time by the monotonic clock, which is the same in all processes of a host, and the close code. It does without a
library: 10,000 connections of one would need more memory and time than those of the server.
"""

import asyncio
import base64
import json
import os
import resource
import struct
import sys
import time
from typing import Any

AT_ONCE = 64  # handshakes
TOLD_EVERY = 100
PATIENCE = 120.0  # seconds for one handshake
CLOSE = 0x8


def tell(**event: Any) -> None:
    print(json.dumps(event), flush=True)


class Client(asyncio.Protocol):
    """One WebSocket as RFC 6455 has it, of which only the end is of interest."""

    def __init__(self, number: int, handshake: bytes) -> None:
        self.number = number
        self.handshake = handshake
        self.opened: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.is_open = self.has_ended = False
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.handshake)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.is_open:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self.is_open = head.startswith(b"HTTP/1.1 101 ")
            self.buffer = rest
            self.opened.set_result(self.is_open)
        while self.is_open and (frame := self._take_frame()):
            opcode, payload = frame
            if opcode == CLOSE:
                self._end(struct.unpack("!H", payload[:2])[0] if payload else None)
                self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_result(False)
        if self.is_open:
            self._end(None)

    def _take_frame(self) -> tuple[int, bytes] | None:
        """Return the next frame of the server, which is short and not masked."""
        if len(self.buffer) < 2 or len(self.buffer) < 2 + (self.buffer[1] & 0x7F):
            return None
        length = self.buffer[1] & 0x7F
        opcode, payload = self.buffer[0] & 0x0F, self.buffer[2 : 2 + length]
        self.buffer = self.buffer[2 + length :]
        return opcode, payload

    def _end(self, code: int | None) -> None:
        if not self.has_ended:
            self.has_ended = True
            tell(ended=self.number, at=time.monotonic(), code=code)


def handshake(port: int, raw_access: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        "GET / HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {raw_access}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def hold(port: int, tokens: dict[int, str]) -> None:
    limit = asyncio.Semaphore(AT_ONCE)
    loop = asyncio.get_running_loop()
    clients = []

    async def open_one(number: int, raw_access: str) -> bool:
        async with limit:
            try:
                _, client = await loop.create_connection(
                    lambda: Client(number, handshake(port, raw_access)), "127.0.0.1", port
                )
                clients.append(client)
                if len(clients) % TOLD_EVERY == 0:
                    tell(done=len(clients))
                return await asyncio.wait_for(client.opened, PATIENCE)
            except (OSError, TimeoutError):
                return False

    opened = await asyncio.gather(*(open_one(*each) for each in tokens.items()))
    tell(result=sum(opened))
    await loop.run_in_executor(None, sys.stdin.read)  # Until the parent closes it.


def main() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    tokens = {}
    while line := sys.stdin.readline().strip():
        number, _, raw_access = line.partition(" ")
        tokens[int(number)] = raw_access
    asyncio.run(hold(int(sys.argv[1]), tokens))


if __name__ == "__main__":
    main()

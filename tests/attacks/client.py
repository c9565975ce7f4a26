"""A client that sends any bytes and returns everything that came back."""

import json
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

TIMEOUT = 30  # seconds
MAX_ANSWER = 1 << 20
STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3}) [A-Z]")


@dataclass(frozen=True)
class Answer:
    """The first answer on a connection, and the statuses of all answers."""

    statuses: tuple[int, ...]
    head: str
    body: bytes

    @property
    def status(self) -> int:
        return self.statuses[0]

    @property
    def is_json(self) -> bool:
        return "\r\ncontent-type: application/json" in self.head.lower()

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    def __init__(self, port: int, *, hangs_up: bool = True) -> None:
        self.at = ("127.0.0.1", port)
        self.hangs_up = hangs_up

    def raw(self, first: bytes, *following: bytes, hang_up: bool | None = None) -> Answer:
        """
        Send the pieces over one connection, each after an answer to the previous one.

        Return what is answered until the server closes the connection. With ``hang_up``, by default
        ``hangs_up``, the client closes its side first; otherwise the server waits for as long as it
        keeps connections alive.
        """
        received = b""
        hang_up = self.hangs_up if hang_up is None else hang_up
        with socket.create_connection(self.at, timeout=TIMEOUT) as connection:
            with suppress(OSError):  # The server may refuse before it has read everything.
                connection.sendall(first)
                for piece in following:
                    received += connection.recv(65536)
                    connection.sendall(piece)
                if hang_up:
                    connection.shutdown(socket.SHUT_WR)
            with suppress(OSError):
                while len(received) < MAX_ANSWER and (chunk := connection.recv(65536)):
                    received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        statuses = tuple(int(status) for status in STATUS_LINE.findall(received))
        assert statuses, f"no answer: {received[:200]!r}"
        return Answer(statuses, head.decode("latin-1"), body)

    def send(
        self,
        method: str,
        path: str,
        *headers: tuple[str, str | bytes],
        body: bytes = b"",
        bearer: str | bytes = "",
    ) -> Answer:
        """Send one request with these headers, unchecked, and with defaults for those not given."""
        lines = [f"{method} {path} HTTP/1.1".encode("latin-1")]
        named = {name.lower() for name, _ in headers}
        default = {
            "host": "127.0.0.1",
            "connection": "close",
            "accept": "application/json",
            "content-type": "application/json",
            "content-length": str(len(body)),
        }
        for name, value in [*headers, *((n, v) for n, v in default.items() if n not in named)]:
            lines.append(name.encode("latin-1") + b": " + _bytes(value))
        if bearer:
            lines.append(b"Authorization: Bearer " + _bytes(bearer))
        return self.raw(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    def get(self, path: str, *, bearer: str | bytes = "") -> Answer:
        return self.send("GET", path, bearer=bearer)

    def post(self, path: str, *, bearer: str | bytes = "", **members: Any) -> Answer:
        return self.send("POST", path, body=json.dumps(members).encode(), bearer=bearer)


def _bytes(value: str | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")

"""One request over one connection, and the answer, read as HTTP says where it ends."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from select import select

TIMEOUT = 20  # seconds
PATIENCE = 0.3  # seconds
MAX_ANSWER = 1 << 22  # bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer; status 0 if the server closed the connection without one, -1 if it was silent."""

    status: int
    head: str = ""
    body: bytes = b""

    def header(self, name: str) -> str:
        for line in self.head.split("\r\n")[1:]:
            found, _, value = line.partition(":")
            if found.strip().lower() == name:
                return value.strip()
        return ""


def exchange(port: int, raw: bytes, *, method: str, is_whole: bool) -> Answer:
    """
    Send the bytes, and return the first answer that is not a 1xx.

    A server may wait for the rest of a request that is not whole. Then it learns that none comes.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as connection:
        with suppress(OSError):  # The server may refuse before it has read everything.
            connection.sendall(raw)
        return _read(connection, method, is_whole=is_whole)


def _read(connection: socket.socket, method: str, *, is_whole: bool) -> Answer:
    received = b""
    waits_for_more = not is_whole
    try:
        while len(received) < MAX_ANSWER:
            answer = _parse(received, method, closed=False)
            if answer is not None:
                return answer
            if waits_for_more and not select([connection], [], [], PATIENCE)[0]:
                waits_for_more = False
                connection.shutdown(socket.SHUT_WR)
            piece = connection.recv(65536)
            if not piece:
                break
            received += piece
    except TimeoutError:
        return Answer(-1, received.decode("latin-1"))
    except OSError:
        pass
    return _parse(received, method, closed=True) or Answer(0, received.decode("latin-1"))


def _parse(received: bytes, method: str, *, closed: bool) -> Answer | None:
    """Return the answer if it is complete."""
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator or not head.startswith(b"HTTP/1."):
        return None
    status = int(head[9:12])
    if 100 <= status < 200 and status != 101:
        return _parse(body, method, closed=closed)
    answer = Answer(status, head.decode("latin-1"), body)
    if method == "HEAD" or status in {101, 204, 304} or closed:
        return answer
    if length := answer.header("content-length"):
        # Behind it may be a second answer, to a body that could not be read.
        whole = Answer(status, answer.head, body[: int(length)])
        return whole if len(body) >= int(length) else None
    if "chunked" in answer.header("transfer-encoding"):
        return answer if body.endswith(b"0\r\n\r\n") else None
    return None

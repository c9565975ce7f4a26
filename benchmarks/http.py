"""A client that speaks HTTP/1.1 at little cost."""

import socket


class Server:
    """A port that speaks HTTP/1.1 over connections that stay open."""

    def __init__(self, port: int) -> None:
        self.port = port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def message(self, method: str, path: str, header: str, body: str = "") -> bytes:
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Accept: application/json"]
        if header:
            lines.append(f"Authorization: {header}")
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def status_of(connection: socket.socket, message: bytes) -> int:
    """Send a request, read its whole answer and return the status."""
    connection.sendall(message)
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        while not body.endswith(b"0\r\n\r\n"):
            body += _some(connection)
        return int(head.split(b" ", 2)[1])
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += _some(connection)
    return int(head.split(b" ", 2)[1])


def _some(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise ConnectionError("the server closed the connection")
    return received

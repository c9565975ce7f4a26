"""A man in the middle, between the verifiers and the site, who does what he is told."""

import json
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Middle:
    """
    ``mode`` is "pass", "cut" (connections are closed), "frozen" (nothing is answered), "old" (the last
    document is served again and again), or "dropping" (entries are taken out of documents).
    """

    def __init__(self, port: int) -> None:
        self.port = port  # The site's.
        self.mode = "pass"
        self.last = b""

    def changed(self, document: bytes) -> bytes:
        if self.mode == "old":
            return self.last
        self.last = self.last if self.mode == "dropping" else document
        return without_entries(document) if self.mode == "dropping" else document


def without_entries(document: bytes) -> bytes:
    header, payload, signature = document.split(b".")
    told = json.loads(urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    told |= {"denied": {"sid": {}, "jti": {}, "kid": {}}, "cut_offs": [], "count": 0}
    told["digest"] = "A" * 22
    written = urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=")
    return b".".join((header, written, signature))


class Handler(BaseHTTPRequestHandler):
    middle: Middle

    def do_GET(self) -> None:
        mode = self.middle.mode
        if mode == "frozen":
            while self.middle.mode == "frozen":
                time.sleep(0.01)
        if mode in ("frozen", "cut"):
            self.close_connection = True
            return
        connection = HTTPConnection("127.0.0.1", self.middle.port, timeout=20)
        with suppress(OSError):
            connection.request("GET", self.path, headers={"Host": self.headers["Host"]})
            answer = connection.getresponse()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"] or "text/plain")
            self.end_headers()
            if answer.headers.get_content_type() == "text/event-stream":
                self._stream(answer, mode)
            else:
                body = answer.read()
                is_document = answer.headers.get_content_type() == "application/jwt"
                self.wfile.write(self.middle.changed(body) if is_document else body)
        connection.close()

    def _stream(self, answer: HTTPResponse, mode: str) -> None:
        while self.middle.mode == mode and (line := answer.readline()):
            if line.startswith(b"data:"):
                line = b"data: " + self.middle.changed(line[5:].strip()) + b"\n"
            self.wfile.write(line)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def in_the_middle(port: int) -> Iterator[tuple[Middle, str]]:
    """Yield the man in the middle, and the address at which he listens."""
    middle = Middle(port)
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"middle": middle}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield middle, f"http://127.0.0.1:{server.server_port}"
    finally:
        middle.mode = "cut"
        server.shutdown()
        server.server_close()
        thread.join()

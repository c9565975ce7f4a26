"""The three that learn of an end: two services with a verifier, and a gateway that asks."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import IO, Any
from uuid import uuid4

from tests.support.ports import free_port
from tests.support.processes import PATIENCE, ROOT

ISSUER = AUDIENCE = "latchkey"
FOLDER = Path(__file__).parent

# The gateway of docs/gateways.md, without TLS.
NGINX = """
{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            auth_request /check;
            proxy_pass http://127.0.0.1:{service};
            proxy_set_header Authorization "";
        }}
        location = /check {{
            internal;
            proxy_pass http://127.0.0.1:{site}/api/token/check/;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header X-Original-Method $request_method;
        }}
    }}
}}
"""


class Service:
    """A process with a verifier."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._said: dict[str, Queue[tuple[str, float]]] = defaultdict(Queue)
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._out():
            name, word, when = line.split()
            self._said[name].put((word, float(when)))

    def _out(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout

    def watch(self, name: str, token: str) -> None:
        """Return when the verifier has accepted the token."""
        assert self._process.stdin is not None
        with self._lock:
            self._said[name]  # So that only this thread makes it.
            self._process.stdin.write(f"{name} {token}\n")
            self._process.stdin.flush()
        word, _ = self._said[name].get(timeout=PATIENCE)
        assert word == "accepted", word

    def ask(self, token: str, number: int = 1) -> dict[str, int]:
        """Return how often the verifier gave each answer, of so many calls."""
        name = uuid4().hex
        self._said[name]
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(f"{name} {token} {number}\n")
            self._process.stdin.flush()
        words, _ = self._said[name].get(timeout=PATIENCE)
        return {word: int(count) for word, count in (each.split(":") for each in words.split(","))}

    def refused(self, name: str, token: str) -> float:
        """Return when the verifier refused the token."""
        word, when = self._said[name].get(timeout=PATIENCE)
        assert word == "refused", word
        return when


class Gateway:
    def __init__(self, port: int) -> None:
        self.port = port

    def watch(self, name: str, token: str) -> None:
        status = self._status(token)
        assert status == 200, status

    def refused(self, name: str, token: str) -> float:
        while (status := self._status(token)) == 200:
            time.sleep(0.002)
        assert status == 401, status
        return time.time()

    def _status(self, token: str) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", "/", headers={"Authorization": f"Bearer {token}"})
        status = connection.getresponse().status
        connection.close()
        return status


class Behind(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def python_service(authority: str, bound: float = 10) -> Iterator[Service]:
    path = {**os.environ, "PYTHONPATH": str(ROOT / "clients/python")}
    command = [sys.executable, str(FOLDER / "python_service.py")]
    with _service([*command, authority, ISSUER, AUDIENCE, str(bound)], path) as service:
        yield service


@contextmanager
def node_service(authority: str, bound: float = 10) -> Iterator[Service]:
    command = ["node", str(FOLDER / "node_service.js")]
    with _service([*command, authority, ISSUER, AUDIENCE, str(bound)], dict(os.environ)) as service:
        yield service


@contextmanager
def _service(command: list[str], environment: dict[str, str]) -> Iterator[Service]:
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
    try:
        yield Service(process)
    finally:
        process.kill()
        process.wait(timeout=PATIENCE)


@contextmanager
def gateway(authority: str, folder: Path) -> Iterator[Gateway]:
    behind = ThreadingHTTPServer(("127.0.0.1", 0), Behind)
    behind.daemon_threads = True
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    port, site = free_port(), int(authority.rpartition(":")[2])
    user = "user root;" if os.geteuid() == 0 else ""
    written = NGINX.format(
        user=user, folder=folder, port=port, service=behind.server_port, site=site
    )
    (folder / "nginx.conf").write_text(written)
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin") or "nginx"
    process = subprocess.Popen([program, "-c", str(folder / "nginx.conf")])
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                HTTPConnection("127.0.0.1", port).connect()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield Gateway(port)
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
        behind.shutdown()
        behind.server_close()

"""Other processes on the test's database: commands, and the site under gunicorn."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment, with the test's database as DATABASE_URL."""
    return {**os.environ, "DATABASE_URL": _database_url(), **changes}


def manage(*words: str, answer: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` to its end; ``answer`` is what somebody types."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment(**changes),
        input=answer,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


class Site:
    """The API at one address; each call is a connection of its own, to whichever worker."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"

    def get(self, path: str, raw_access: str = "") -> tuple[int, Any]:
        return self._send(path, None, raw_access)

    def post(self, path: str, **body: str) -> tuple[int, Any]:
        return self._send(path, json.dumps(body).encode(), "")

    def _send(self, path: str, data: bytes | None, raw_access: str) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if raw_access:
            headers["Authorization"] = f"Bearer {raw_access}"
        try:
            with urlopen(Request(self.base + path, data, headers), timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()


@contextmanager
def running_site(*, workers: int) -> Iterator[Site]:
    """Lend the project under gunicorn, with this many worker processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", str(workers), "--threads", "2", "--log-level", "warning"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment())
    site = Site(port)
    try:
        deadline = time.monotonic() + 60
        while not _answers(site):
            assert server.poll() is None, "gunicorn did not start"
            assert time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.1)
        yield site
    finally:
        server.terminate()
        server.wait(timeout=60)


def _answers(site: Site) -> bool:
    try:
        return site.get("/readyz")[0] == 200
    except (URLError, ConnectionError):
        return False


def _database_url() -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    at = connection.settings_dict
    return f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{name}"

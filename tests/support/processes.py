"""Start commands, small projects and the site under gunicorn in processes of their own."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]

# A process that takes longer than these seconds hangs, however busy the machine is. No test
# measures anything by it.
PATIENCE = 300


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment, with the test's database unless another is named."""
    if "DATABASE_URL" not in changes:
        changes["DATABASE_URL"] = _database_url()
    return {**os.environ, **changes}


def manage(*words: str, answer: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
    """Run ``manage.py`` until it exits, with ``answer`` on its standard input."""
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment(**changes),
        input=answer,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def run_project(package: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the ``__main__`` of a package until it exits, with the settings in that package."""
    return subprocess.run(
        [sys.executable, "-m", package],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": f"{package}.settings", **changes},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body or b"null")


class Site:
    """A site on one port. Each request opens a connection, which any worker may accept."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"

    def get(self, path: str, raw_access: str = "") -> tuple[int, Any]:
        return self._status_and_body(self.ask(path, raw_access=raw_access))

    def post(self, path: str, **body: str) -> tuple[int, Any]:
        return self._status_and_body(self.ask(path, body=body))

    def ask(self, path: str, *, body: dict[str, str] | None = None, raw_access: str = "") -> Answer:
        """Return the answer, whatever its status. Raises OSError if the site does not answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if raw_access:
            headers["Authorization"] = f"Bearer {raw_access}"
        try:
            answer = urlopen(Request(self.base + path, data, headers), timeout=PATIENCE)
        except HTTPError as refusal:
            answer = refusal
        with answer:
            try:
                return Answer(answer.status, answer.headers, answer.read())
            except HTTPException as error:
                raise ConnectionError("The answer is incomplete.") from error

    @staticmethod
    def _status_and_body(answer: Answer) -> tuple[int, Any]:
        return answer.status, answer.json() if answer.status == 200 else answer.body.decode()


class RunningSite(Site):
    """A site under a gunicorn that the test started."""

    def __init__(self, port: int, master: int) -> None:
        super().__init__(port)
        self._master = master

    def workers(self) -> list[int]:
        """Return the process ids of the workers that exist now."""
        path = Path(f"/proc/{self._master}/task/{self._master}/children")
        return [int(word) for word in path.read_text().split()]


@contextmanager
def running_site(*, workers: int, **changes: str) -> Iterator[RunningSite]:
    """Run the project as ``make serve`` does, with this many workers, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn_conf"]
    command += ["config.wsgi", "--log-level", "warning"]
    served = environment(BIND=f"127.0.0.1:{port}", WEB_CONCURRENCY=str(workers), **changes)
    server = subprocess.Popen(command, cwd=ROOT, env=served, stdout=subprocess.DEVNULL)
    site = RunningSite(port, server.pid)
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(site):
            assert server.poll() is None, "gunicorn did not start"
            assert time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.1)
        yield site
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE)


def _answers(site: Site) -> bool:
    try:
        return site.ask("/readyz").status == 200
    except OSError:
        return False


def _database_url() -> str:
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    at = connection.settings_dict
    return f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{name}"

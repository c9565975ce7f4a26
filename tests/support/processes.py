"""Start commands, small projects and the site under gunicorn in processes of their own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.db import connection

from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]

# A process that takes longer than these seconds hangs, however busy the machine is. No test
# measures anything by it.
PATIENCE = 600


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment, with the test's database unless another is named."""
    if "DATABASE_URL" not in changes:
        changes["DATABASE_URL"] = _database_url()
    return {**os.environ, **changes}


def end(process: "subprocess.Popen[bytes]", *, patience: float = PATIENCE / 10) -> None:
    """Terminate a process, and kill it if it does not end within this many seconds."""
    process.terminate()
    try:
        process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


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


def content_of(*paths: Path) -> bytes:
    """Return the files' bytes, as another process reads them.

    To close a file drops every lock that this process has on it (POSIX). If it is SQLite's file,
    the next process that closes the database takes itself for the last one, and deletes the log.
    """
    done = subprocess.run(["cat", *map(str, paths)], capture_output=True, check=True)
    return done.stdout


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

    def delete(self, path: str, raw_access: str) -> None:
        headers = {"Authorization": f"Bearer {raw_access}"}
        urlopen(Request(self.base + path, None, headers, method="DELETE"), timeout=PATIENCE).close()

    @staticmethod
    def _status_and_body(answer: Answer) -> tuple[int, Any]:
        return answer.status, answer.json() if answer.status == 200 else answer.body.decode()


class RunningSite(Site):
    """A site under a gunicorn that the test started."""

    def __init__(self, port: int, master: int) -> None:
        super().__init__(port)
        self._master = master

    def signal(self, number: int) -> None:
        os.kill(self._master, number)

    def workers(self) -> list[int]:
        """Return the process ids of the workers that exist now."""
        path = Path(f"/proc/{self._master}/task/{self._master}/children")
        return [int(word) for word in path.read_text().split()]


@contextmanager
def running_site(*, workers: int, **changes: str) -> Iterator[RunningSite]:
    """Run the project as ``make serve`` does, with this many workers, until the block ends."""
    with site_under("gunicorn", {"WEB_CONCURRENCY": str(workers), **changes}) as site:
        yield site


@contextmanager
def site_under(
    server: str, changes: Mapping[str, str], *, log: Path | None = None
) -> Iterator[RunningSite]:
    """
    Run the project under gunicorn or uvicorn until the block ends.

    ``log`` gets everything that the server prints.
    """
    port = free_port()
    served = environment(BIND=f"127.0.0.1:{port}", **changes)
    command = [sys.executable, "-m", *_serving(server, port, quiet=log is None)]
    with serving(command, port, served, log=log) as site:
        yield site


@contextmanager
def serving(
    command: list[str], port: int, environ: Mapping[str, str], *, log: Path | None = None
) -> Iterator[RunningSite]:
    """Run a command that serves a site at this port, which has /readyz, until the block ends."""
    with ExitStack() as stack:
        printed: dict[str, Any] = {"stdout": subprocess.DEVNULL}
        if log is not None:
            printed = {"stdout": stack.enter_context(log.open("wb")), "stderr": subprocess.STDOUT}
        process = subprocess.Popen(command, cwd=ROOT, env=environ, **printed)
        site = RunningSite(port, process.pid)
        try:
            deadline = time.monotonic() + PATIENCE
            while not _answers(site):
                assert process.poll() is None, f"{command} did not start"
                assert time.monotonic() < deadline, f"{command} does not answer"
                time.sleep(0.1)
            yield site
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


def _serving(server: str, port: int, *, quiet: bool) -> list[str]:
    """Return the command of this server, which reads the other settings from the environment."""
    if server == "gunicorn":
        command = ["gunicorn", "-c", "python:config.gunicorn_conf", "config.wsgi"]
    else:
        command = ["uvicorn", "config.asgi:application", "--port", str(port), "--no-proxy-headers"]
    return [*command, "--log-level", "warning"] if quiet else command


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

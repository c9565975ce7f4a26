"""The project of the page under uvicorn, in a process of its own."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.core.cache.backends.filebased import FileBasedCache

from tests.examples.page import write_project
from tests.support.processes import ROOT, end, environment
from tokens import keyring

PATIENCE = 30  # seconds


class Served:
    """The running project: its address, what it printed, and the requests that came."""

    def __init__(self, folder: Path, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.base = f"http://{self.host}"
        self._folder = folder

    def log(self) -> str:
        return (self._folder / "log").read_text()

    def requests(self, path: str = "") -> list[dict[str, str]]:
        """Return the notes of all requests, or of those for this path."""
        lines = (self._folder / "requests").read_text().splitlines()
        notes = [json.loads(line) for line in lines]
        return [note for note in notes if path in ("", note["path"])]

    def set_progress(self, user: Any, percent: int) -> None:
        """Do what the task of the example does, in this process."""
        FileBasedCache(str(self._folder / "cache"), {}).set(f"progress-{user.pk}", percent)

    def drop_streams(self) -> None:
        urlopen(Request(f"{self.base}/drop/", method="POST"), timeout=PATIENCE).close()

    def assert_no_ticket_was_seen(self) -> None:
        """Fail if the log or a Referer has a ticket, or if no request had one."""
        notes = self.requests()
        assert any("ticket=lktk_" in note["query"] for note in notes)
        assert [note for note in notes if "lktk_" in note["referer"]] == []
        assert "GET " in self.log()
        assert "lktk_" not in self.log()


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """
    Serve the project from this folder until the block ends, with the database of the test.

    Skips the test without Channels, which the page needs and the app does not.
    """
    pytest.importorskip("channels")
    keyring.ensure()
    write_project(folder)
    (folder / "requests").touch()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        site = Served(folder, listener.getsockname()[1])
        process = _start(folder, listener)
    try:
        _wait_for(site, process)
        yield site
    finally:
        end(process, patience=PATIENCE)


def project_environment(folder: Path) -> dict[str, str]:
    return environment(
        DJANGO_SETTINGS_MODULE="project.settings",
        PYTHONPATH=os.pathsep.join([str(folder), str(ROOT)]),
        CACHE_FOLDER=str(folder / "cache"),
        REQUESTS=str(folder / "requests"),
    )


def _start(folder: Path, listener: socket.socket) -> subprocess.Popen[bytes]:
    """Start the server on this socket, so that no other process can take its port."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.examples.server", str(listener.fileno())],
            cwd=ROOT,
            env=project_environment(folder),
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=log,
        )


def _wait_for(site: Served, process: subprocess.Popen[bytes]) -> None:
    try:
        # The socket listens since before the process started, so this waits until it answers.
        urlopen(f"{site.base}/healthz", timeout=PATIENCE).close()
    except OSError as error:
        pytest.fail(
            f"The server does not answer (exit code {process.poll()}): {error}\n{site.log()}"
        )

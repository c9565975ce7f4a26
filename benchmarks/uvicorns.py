"""The site of ``asynchronous`` under one process of uvicorn."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .http import Server
from .processes import PATIENCE, cpu_seconds, stop

OPTIONS = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error"]


class Uvicorn:
    """A server that runs at a port."""

    def __init__(self, mode: str) -> None:
        from tests.support.ports import free_port

        self.port = free_port()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "django.core.asgi:get_asgi_application"),
                *("--factory", "--lifespan", "off", "--port", str(self.port), *OPTIONS),
            ],
            env={**os.environ, "BENCH_DENYLIST_MODE": mode},
        )

    def cpu_seconds(self) -> float:
        return cpu_seconds(self._process.pid)

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                Server(self.port).connect().close()
            except OSError:
                if self._process.poll() is not None:
                    raise RuntimeError(f"uvicorn ended: {self._process.returncode}") from None
                if time.monotonic() > deadline:
                    raise RuntimeError(f"uvicorn does not answer after {PATIENCE} s") from None
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        stop(self._process)


@contextmanager
def running(mode: str) -> Iterator[Uvicorn]:
    """Serve the site with this TOKENS_DENYLIST_MODE until the block ends."""
    server = Uvicorn(mode)
    try:
        server.wait()
        yield server
    finally:
        server.stop()

"""Two servers of a site, and a port in front whose connections go to one of them."""

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from tests.support.ports import free_port
from tests.support.processes import PATIENCE, ROOT

from .running import SITE


class Front:
    """Passes each connection on to ``target``. One that is open stays where it was."""

    def __init__(self) -> None:
        self.port, self.target = free_port(), 0
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()

        async def serve() -> None:
            await asyncio.start_server(self._pass_on, "127.0.0.1", self.port, backlog=1000)
            ready.set()

        def run() -> None:
            self._loop.create_task(serve())
            self._loop.run_forever()

        threading.Thread(target=run, daemon=True).start()
        ready.wait()

    def stop(self) -> None:
        async def finish() -> None:
            await asyncio.sleep(1)  # Connections end with their answers.
            self._loop.stop()

        asyncio.run_coroutine_threadsafe(finish(), self._loop)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(_copy(reader, to_writer), _copy(to_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextmanager
def server(served: dict[str, str]) -> Iterator[int]:
    """Run the site with these settings under gunicorn, and yield its port."""
    port = free_port()
    options = ("--workers", "2", "--threads", "4", "--worker-class", "gthread")
    quiet = ("--log-level", "error", "--backlog", "1000", "--bind", f"127.0.0.1:{port}")
    command = [sys.executable, "-m", "gunicorn", *options, *quiet, f"{SITE}.wsgi"]
    process = subprocess.Popen(command, cwd=ROOT, env=served)
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(port):
            assert process.poll() is None, "gunicorn did not start"
            assert time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/api/whoami/")
        return connection.getresponse().status == 401
    except OSError:
        return False
    finally:
        connection.close()

"""The processes of the measurement: those that hold connections, that sign in, and the servers."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from benchmarks.processes import PATIENCE, ROOT, cpu_seconds, stop
from tests.support.ports import free_port

# Connections of one holder. Each has one thread for them all, and a limit of open files.
HELD_BY_ONE = 5000
SPARE_FILES = 200  # of a process, besides its connections
Reached = Callable[[int, int], None]


class Process:
    """A process that is told lines, and answers with lines of JSON: how far it is, and then the result."""

    def __init__(self, *words: str) -> None:
        self._name = words[0]
        self._running = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def write(self, text: str) -> None:
        assert self._running.stdin
        self._running.stdin.write(text)
        self._running.stdin.flush()

    def read(self) -> Any:
        assert self._running.stdout
        line = self._running.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._name} ended: {self._running.wait(PATIENCE)}")
        return json.loads(line)

    def result(self, reached: Reached, total: int) -> Any:
        """Return the result, and call ``reached`` with what is done until then."""
        while "result" not in (answer := self.read()):
            reached(answer["done"], total)
        return answer["result"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        stop(self._running)


class Holder(Process):
    """A process that holds connections, whose ends are collected as they come."""

    def __init__(self, port: int, tokens: dict[int, str]) -> None:
        super().__init__("tests.open_connections.holder", str(port))
        self.ended: dict[int, tuple[float, int | None]] = {}
        self.failure = ""
        lines = (f"{number} {raw_access}\n" for number, raw_access in tokens.items())
        self.write("".join(lines) + "\n")

    def open_all(self, reached: Reached, total: int) -> int:
        """Wait until all are open or refused, and return how many are open. Collect ends from then on."""
        found: int = self.result(reached, total)
        threading.Thread(target=self._collect, daemon=True).start()
        return found

    def read(self) -> Any:
        """Return the next line that does not tell of an end."""
        while "ended" in (event := super().read()):
            self.ended[event["ended"]] = (event["at"], event["code"])
        return event

    def _collect(self) -> None:
        try:
            self.read()
        except (RuntimeError, ValueError) as error:
            self.failure = str(error)


def room_for(connections: int) -> str | None:
    """Return why this machine cannot hold so many connections, or None. One worker may get them all."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and connections + SPARE_FILES > hard:
        return (
            f"A process may open {hard:,} files (ulimit -Hn), and one process of uvicorn may get all "
            f"{connections:,} connections. Measure fewer: CONNECTIONS={hard - SPARE_FILES}."
        )
    ports = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if ports.exists():
        first, last = map(int, ports.read_text().split())
        room = last - first - SPARE_FILES
        if connections > room:
            return (
                f"This host has {room:,} ports for connections (net.ipv4.ip_local_port_range). "
                f"Measure fewer: CONNECTIONS={room}."
            )
    return None


@contextmanager
def serving(workers: int) -> Iterator[tuple[int, int]]:
    """Run the application under uvicorn, and yield its port and its process."""
    with tempfile.TemporaryDirectory(prefix="latchkey-connections-") as folder:
        port = free_port()
        command = [
            *(sys.executable, "-m", "uvicorn", "tests.open_connections.app:application"),
            *("--port", str(port), "--workers", str(workers), "--log-level", "error"),
            *("--ws-ping-interval", "3600", "--lifespan", "off", "--backlog", "4096"),
        ]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "CONNECTIONS_STARTED": folder},
            preexec_fn=allow_files,
        )
        try:
            _wait_for(Path(folder), workers, process)
            yield port, process.pid
        finally:
            stop(process)


def _wait_for(folder: Path, workers: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until every worker has told that it has started, by a file."""
    deadline = time.monotonic() + PATIENCE
    while len(list(folder.iterdir())) < workers:
        if process.poll() is not None:
            raise RuntimeError(f"uvicorn ended with {process.returncode}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"uvicorn did not start its workers within {PATIENCE} s")
        time.sleep(0.1)


def allow_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def memory_of(process: int) -> float:
    """Return the proportional memory of a process and its children, in kB."""
    total = 0.0
    for pid in _with_children(process):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += float(line.split()[1])
    return total


def cpu_of(process: int) -> float:
    """Return the seconds of CPU time that a process and its children have used."""
    return sum(cpu_seconds(int(pid)) for pid in _with_children(process))


def _with_children(process: int) -> list[str]:
    command = ["ps", "-o", "pid=", "--pid", str(process), "--ppid", str(process)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def transactions(url: str) -> int | None:
    """Return how many transactions the database has had. SQLite does not count them."""
    if not url.startswith("postgres"):
        return None
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        row = connection.execute(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    return int(row[0]) if row else None

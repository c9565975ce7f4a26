"""A PostgreSQL and a Redis for one test, which can stop, freeze and empty them."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Debian keeps PostgreSQL's programs out of PATH, in one folder per version.
POSTGRES_VERSIONS = Path("/usr/lib/postgresql")


class NotInstalled(Exception):
    """A server is not installed; the message says how to install it."""


class Postgres:
    """A cluster in a temporary folder. Its data survives ``crash`` and ``start``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self._run("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "postgres", "-N")

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -c fsync=off"
        self._run("pg_ctl", "start", "-w", "-o", options, "-l", str(self.folder / "log"))

    def crash(self) -> None:
        """Stop the server without a checkpoint: every connection ends at once."""
        self._run("pg_ctl", "stop", "-m", "immediate")

    @contextmanager
    def gone(self) -> Iterator[None]:
        """Stop the server while the block runs."""
        self.crash()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Refuse every write while the block runs, as a standby does after a failover."""
        self._set_read_only("on")
        try:
            yield
        finally:
            self._set_read_only("off")

    @contextmanager
    def stuck(self, table: str) -> Iterator[None]:
        """Lock the table while the block runs, so that every statement on it waits."""
        with psycopg.connect(self.url) as connection:
            connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
            yield
            connection.rollback()

    def _set_read_only(self, value: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}".encode())
            connection.execute("SELECT pg_reload_conf()")
        # The server processes of other connections reread the configuration a moment later.
        time.sleep(0.5)

    def _run(self, program: str, *words: str) -> None:
        command = [str(_newest_postgres() / program), *words]
        if os.getuid() == 0:
            # The server refuses to run as root.
            shutil.chown(self.folder, "postgres", "postgres")
            command = ["runuser", "-u", "postgres", "--", *command]
        environment = {**os.environ, "PGDATA": str(self.folder / "data")}
        subprocess.run(
            command, env=environment, cwd=self.folder, check=True, stdout=subprocess.DEVNULL
        )


def _newest_postgres() -> Path:
    found = sorted(POSTGRES_VERSIONS.glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        raise NotInstalled(
            "PostgreSQL is not installed. Install it (on Debian: apt install postgresql), or set "
            "DATABASE_URL to one that runs."
        )
    return found[-1]


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """Run a new PostgreSQL until the block ends. Raises NotInstalled."""
    with tempfile.TemporaryDirectory(prefix="latchkey-postgres-") as folder:
        postgres = Postgres(Path(folder))
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.crash()


class Redis:
    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        if shutil.which("redis-server") is None:
            raise NotInstalled(
                "Redis is not installed. Install it (on Debian: apt install redis-server), or set "
                "CACHE_URL to one that runs."
            )
        words = [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self._process = subprocess.Popen(["redis-server", *words], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline, "Redis does not answer"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url).ping())
        except redis.ConnectionError:
            return False

    def empty(self) -> None:
        redis.Redis.from_url(self.url).flushall()

    def freeze(self) -> None:
        """Suspend the server: it accepts connections and does not answer."""
        self._process.send_signal(signal.SIGSTOP)

    def crash(self) -> None:
        self._process.kill()
        self._process.wait(timeout=20)


@contextmanager
def own_redis() -> Iterator[Redis]:
    """Run a new Redis until the block ends. Raises NotInstalled."""
    server = Redis()
    server.start()
    try:
        yield server
    finally:
        server.crash()

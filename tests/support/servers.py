"""A PostgreSQL and a Redis for one test, which can stop, freeze and empty them."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from tests.support.ports import free_port

# Debian keeps PostgreSQL's programs out of PATH, in one folder per version.
POSTGRES_VERSIONS = Path("/usr/lib/postgresql")


class NotInstalled(Exception):
    """A server is not installed; the message says how to install it."""


class Postgres:
    """A cluster in a temporary folder. Its data survives ``crash`` and ``start``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = url_of(self.port)
        self._create()

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -c fsync=off"
        self._run("pg_ctl", "start", "-w", "-o", options, "-l", str(self.folder / "log"))

    def crash(self) -> None:
        """Stop the server, if it runs, without a checkpoint: every connection ends at once."""
        if (self.folder / "data" / "postmaster.pid").exists():
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

    def dump(self, name: str) -> Path:
        """Write everything in the database of this name to a file, as pg_dump does."""
        path = self.folder / f"{name}.sql"
        self._run("pg_dump", "-f", str(path), "-d", url_of(self.port, name))
        return path

    def restore(self, name: str, dump: Path) -> None:
        """Put a new database in the place of this one, and end its connections."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {name}".encode())
        self._run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(dump), url_of(self.port, name))

    def wal_position(self) -> str:
        """Return how far the log of changes was written."""
        return self._ask("SELECT pg_current_wal_lsn()")

    def _ask(self, sql: str) -> str:
        with psycopg.connect(self.url) as connection:
            row = connection.execute(sql.encode()).fetchone()
        assert row is not None
        return str(row[0])

    def _create(self) -> None:
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", "postgres", "-N")

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


class Standby(Postgres):
    """A copy of the cluster at a port, which follows it, not waited for, until it is promoted."""

    def __init__(self, folder: Path, *, primary: int) -> None:
        self._primary = primary
        super().__init__(folder)

    def promote(self) -> None:
        self._run("pg_ctl", "promote", "-w")

    def has(self, position: str) -> bool:
        """Return whether it has everything up to this position of the primary's log."""
        return self._ask(f"SELECT pg_last_wal_replay_lsn() >= '{position}'") == "True"

    def follows(self) -> bool:
        """Return whether it is connected to its primary."""
        return self._ask("SELECT count(*) FROM pg_stat_wal_receiver") == "1"

    def _create(self) -> None:
        data = str(self.folder / "data")
        words = ["-R", "-N", "-c", "fast", "-X", "stream", "-d", url_of(self._primary)]
        self._run("pg_basebackup", "-D", data, *words)


def url_of(port: int, name: str = "postgres") -> str:
    """Return the URL of a database of the cluster at a port, or at a proxy to it."""
    return f"postgres://postgres@127.0.0.1:{port}/{name}"


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


@contextmanager
def own_standby(primary: int) -> Iterator[Standby]:
    """Run a standby of the cluster at this port until the block ends."""
    with tempfile.TemporaryDirectory(prefix="latchkey-standby-") as folder:
        standby = Standby(Path(folder), primary=primary)
        standby.start()
        try:
            yield standby
        finally:
            standby.crash()


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

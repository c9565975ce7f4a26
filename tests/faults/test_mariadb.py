"""MariaDB is refused before it has a table."""

import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from tests.support.processes import PATIENCE, ROOT

pytestmark = pytest.mark.services

NAME = "latchkey"
SENTENCE = (
    "The app tokens works on SQLite and PostgreSQL only, and the database 'default' is MariaDB."
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a MariaDB of its own, and return its socket."""
    if shutil.which("mariadbd") is None:
        pytest.skip("MariaDB is not installed (on Debian: apt install mariadb-server)")
    folder = Path(f"/tmp/latchkey-mariadb-{os.getpid()}")  # A socket's path must be short.
    folder.mkdir(mode=0o700)
    socket = str(folder / "socket")
    options = ["--no-defaults", f"--datadir={folder}/data", f"--user={_user_of_this_process()}"]
    subprocess.run(["mariadb-install-db", *options], check=True, capture_output=True)
    own = [*options, f"--socket={socket}", "--skip-networking", "--skip-grant-tables"]
    process = subprocess.Popen(["mariadbd", *own], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE
        while not Path(socket).exists():
            assert time.monotonic() < deadline, "MariaDB does not start"
            time.sleep(0.1)
        yield socket
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
        shutil.rmtree(folder)


def _user_of_this_process() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def mariadb(server: str) -> Iterator[Any]:
    connection = pymysql.connect(unix_socket=server, user="root", autocommit=True)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {NAME}")
        cursor.execute(f"USE {NAME}")
        try:
            yield cursor
        finally:
            cursor.execute(f"DROP DATABASE {NAME}")


def manage(socket: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "django", *words],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.projects.mariadb.settings",
            "NAME": NAME,
            "SOCKET": socket,
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def tables(cursor: Any) -> set[str]:
    cursor.execute("SHOW TABLES")
    return {name for (name,) in cursor.fetchall()}


def test_migrate_makes_no_table_and_says_why_in_one_sentence(server: str, mariadb: Any) -> None:
    for command in ("check", "migrate"):
        done = manage(server, command)
        assert done.returncode == 1
        assert f"(tokens.E024) {SENTENCE}" in done.stderr
    assert tables(mariadb) == set()


def test_without_the_checks_the_migration_itself_makes_no_table_of_the_app(
    server: str, mariadb: Any
) -> None:
    done = manage(server, "migrate", "--skip-checks")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(f"CommandError: {SENTENCE}")
    names = tables(mariadb)
    assert "auth_user" in names
    assert not {name for name in names if name.startswith("tokens_")}

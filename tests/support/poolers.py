"""A PgBouncer for one test, in front of a PostgreSQL."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.support.ports import free_port
from tests.support.servers import NotInstalled

# Debian keeps it where only root's PATH looks.
SEARCHED = f"{os.environ.get('PATH', '')}:/usr/sbin"

CONFIGURATION = """\
[databases]
* = host={host} port={port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
# The site's processes send PGOPTIONS when they connect, which this version refuses.
ignore_startup_parameters = extra_float_digits, options
"""


@contextmanager
def own_pgbouncer(database_url: str, *, size: int) -> Iterator[str]:
    """
    Yield the URL of the database through a PgBouncer in transaction mode, until the block ends.

    It has at most ``size`` connections to the server. Raises NotInstalled.
    """
    program = shutil.which("pgbouncer", path=SEARCHED)
    if program is None:
        raise NotInstalled(
            "PgBouncer is not installed. Install it (on Debian: apt install pgbouncer)."
        )
    server, port = urlsplit(database_url), free_port()
    with tempfile.TemporaryDirectory(prefix="latchkey-pgbouncer-") as folder:
        path = Path(folder, "pgbouncer.ini")
        path.write_text(
            CONFIGURATION.format(
                host=server.hostname,
                port=server.port or 5432,
                folder=folder,
                own_port=port,
                size=size,
            )
        )
        Path(folder, "users.txt").write_text(f'"{server.username}" ""\n')
        who = None
        if os.getuid() == 0:
            # It refuses to run as root.
            shutil.chown(folder, "postgres", "postgres")
            who = "postgres"
        process = subprocess.Popen([program, "-q", str(path)], cwd=folder, user=who, group=who)
        try:
            url = f"postgres://{server.username}@127.0.0.1:{port}{server.path}"
            _wait(process, url)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None, "PgBouncer did not start"
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "PgBouncer does not answer"
            time.sleep(0.05)
        else:
            return

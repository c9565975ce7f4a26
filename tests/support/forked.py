"""
A project that forks when it has a copy of the denylist, as preloading does: both processes serve.

Run as a module with two ports. The parent and its child serve one each, after the parent has
answered a request with the access token that it reads from its standard input.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from tests.support.crowds import SNAPSHOT_SETTINGS
from tests.support.ports import free_port
from tests.support.processes import PATIENCE, ROOT, Site, environment


@contextmanager
def forked_sites(database_url: str, raw_access: str) -> Iterator[tuple[Site, Site]]:
    """Yield what the parent and the child serve, until the block ends."""
    ports = free_port(), free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.forked", *map(str, ports)],
        cwd=ROOT,
        env=environment(DATABASE_URL=database_url, DJANGO_SETTINGS_MODULE=SNAPSHOT_SETTINGS),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{raw_access}\n")
            process.stdin.flush()
            for _ in ports:
                assert process.stdout.readline() == "serving\n"
            parent, child = map(Site, ports)
            yield parent, child
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=PATIENCE)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def main(ports: list[int]) -> None:
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

    from django.db import connection
    from django.test import Client

    raw_access = sys.stdin.readline().strip()
    answer = Client().get("/who/", headers={"Authorization": f"Bearer {raw_access}"})
    assert answer.status_code == 200, answer.content
    # A project that preloads closes its own connections. It knows of no others.
    connection.close()
    if hasattr(connection, "close_pool"):
        connection.close_pool()
    port = ports[1] if os.fork() == 0 else ports[0]
    with make_server("127.0.0.1", port, application, _Server, _Quiet) as server:
        os.write(1, b"serving\n")
        server.serve_forever()


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]])

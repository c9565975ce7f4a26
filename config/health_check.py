"""
``python -m config.health_check``: exit with 0 if the server on this machine answers ``/healthz``.

For the health check of a container, which has neither curl nor a shell script. It asks where ``BIND``
says, for a host of ``ALLOWED_HOSTS``.
"""

import os
import socket
import sys
from http.client import HTTPConnection, HTTPException

from .env import Environment

TIMEOUT = 4.0  # seconds; the health check of Dockerfile waits for five

# Where a server listens on every address, and where it is asked.
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


class _UnixConnection(HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.host)


def main() -> None:
    bind = os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
    hosts = Environment().hosts("ALLOWED_HOSTS", default=["localhost"])
    try:
        status = ask(bind, host=host_of(hosts))
    except (OSError, HTTPException, ValueError) as error:
        sys.exit(f"{bind} does not answer: {error}")
    if status != 200:
        sys.exit(f"{bind} answers /healthz with {status}.")


def ask(bind: str, *, host: str) -> int:
    """Return the status of the answer to ``GET /healthz``."""
    connection = connect(bind)
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        return connection.getresponse().status
    finally:
        connection.close()


def connect(bind: str) -> HTTPConnection:
    """Return a connection to a value of gunicorn's setting ``bind``. Raises ValueError."""
    if bind.startswith("unix:"):
        path = bind.removeprefix("unix:")
        # "unix://" with an absolute path is the same.
        return _UnixConnection(path.removeprefix("//"), timeout=TIMEOUT)
    address, _, port = bind.rpartition(":")
    address = address.strip("[]")
    return HTTPConnection(_LOOPBACK.get(address, address), int(port), timeout=TIMEOUT)


def host_of(allowed: list[str]) -> str:
    """Return a host name that one of these values of ALLOWED_HOSTS allows."""
    first = allowed[0] if allowed else "*"
    return "localhost" if first == "*" else first.removeprefix(".")


if __name__ == "__main__":
    main()

"""
gunicorn's settings for ``make serve``, its access log, and the errors that it answers itself.

The log holds a request's method and path, never its query, headers or body, which may hold tokens.
"""

import json
import os
import socket
import time
from contextlib import suppress
from io import BytesIO
from typing import Any

from gunicorn import util
from gunicorn.glogging import Logger

from .env import Environment
from .request_id import HEADER

bind = os.environ.get("BIND", "127.0.0.1:8000")
# At least two processes, so that one answers while the other is replaced.
workers = int(os.environ.get("WEB_CONCURRENCY") or max(2, os.cpu_count() or 1))
worker_class = "gthread"
threads = 4
graceful_timeout = 30  # seconds that a reload waits for running requests
keepalive = 5  # seconds; a proxy in front reuses its connection
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  # heartbeats
control_socket_disable = True
# Only TRUSTED_PROXIES decides which forwarded headers are trusted, in tokens/client.py.
forwarded_allow_ips = ""
# Over a Unix socket gunicorn would trust these whatever forwarded_allow_ips is.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
accesslog = "-"

# A query that hangs would block its thread for ever. Set PGOPTIONS to change or lift the limits.
os.environ.setdefault(
    "PGOPTIONS", "-c statement_timeout=10s -c idle_in_transaction_session_timeout=30s"
)


class AccessLog(Logger):
    """One line per request, in the format that LOG_FORMAT sets."""

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        self.access_log.info(
            access_line(
                environ,
                status=int(str(resp.status).split()[0]),
                sent=resp.sent,
                seconds=request_time.total_seconds(),
                request_id=str(dict(resp.headers).get(HEADER, "-")),
            )
        )


def access_line(
    environ: dict[str, Any], *, status: int, sent: int, seconds: float, request_id: str
) -> str:
    """Return one line, whatever the path holds: JSON escapes a newline in it."""
    # Django is not set up when gunicorn reads this module.
    from django.core.handlers.wsgi import WSGIRequest
    from django.utils import timezone

    from tokens.client import ip_address_of

    # A request that gunicorn could not read has no wsgi.input, which WSGIRequest requires.
    request = WSGIRequest({**environ, "wsgi.input": BytesIO()})
    members = {
        "time": timezone.now().isoformat(),
        "event": "request",
        "method": request.method,
        "path": request.path,
        "status": status,
        "bytes": sent,
        "ms": round(seconds * 1000, 1),
        "ip": ip_address_of(request),
        "request_id": request_id,
    }
    if _format == "json":
        return json.dumps(members)
    line = "{time} request {request_id} {method} {path} {status} bytes={bytes} ms={ms} ip={ip}"
    return line.format(**members | {"path": json.dumps(request.path)})


logger_class = AccessLog
_format = Environment().choice("LOG_FORMAT", "text", ("text", "json"))

LINGER = 1.0  # seconds


def refuse(sock: socket.socket, status_int: int, reason: str, mesg: str) -> None:
    """Send an error as JSON where gunicorn sends HTML, with 400 for every error of the client."""
    # gunicorn answers an unknown transfer coding with 501, but no input may cause a 5xx.
    status = 500 if status_int == 500 else 400
    body = json.dumps({"detail": f"{reason}."})
    head = (
        f"HTTP/1.1 {status} {reason}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    util.write_nonblock(sock, "\r\n".join([*head, "", body]).encode("latin-1"))
    _read_on(sock)


def _read_on(sock: socket.socket) -> None:
    """Read what the client still sends, up to LINGER, or it may lose the answer (RFC 9112 §9.6)."""
    until = time.monotonic() + LINGER
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(LINGER / 4)
        while time.monotonic() < until and sock.recv(65536):
            pass


# gunicorn writes all its own error answers here, and has no setting to replace it.
util.write_error = refuse

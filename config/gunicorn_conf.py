"""
gunicorn's settings for ``make serve``, its access log, and how it refuses by itself.

The log holds a request's method and path, never its query, headers or body: those hold tokens.
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
# Two processes at the least: one that is replaced leaves one that answers.
workers = int(os.environ.get("WEB_CONCURRENCY") or max(2, os.cpu_count() or 1))
worker_class = "gthread"
threads = 4
graceful_timeout = 30  # seconds in which a reload lets requests end
keepalive = 5  # seconds; a proxy in front asks again on the same connection
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  # heartbeats
control_socket_disable = True
# TRUSTED_PROXIES alone decides what is believed, in tokens.client.
forwarded_allow_ips = ""
# Over a Unix socket gunicorn believes these whatever the line above says.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
accesslog = "-"

# A query that hangs would hold its thread for ever. A larger limit, or none, is yours to set.
os.environ.setdefault(
    "PGOPTIONS", "-c statement_timeout=10s -c idle_in_transaction_session_timeout=30s"
)


class AccessLog(Logger):
    """One line a request, text or JSON as LOG_FORMAT says."""

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
    """Return one line whatever the path holds: JSON's escapes keep a newline out of the log."""
    # Django is not set up when gunicorn reads this module.
    from django.core.handlers.wsgi import WSGIRequest
    from django.utils import timezone

    from tokens.client import ip_address_of

    # Of a request that gunicorn could not read there is no body, and no line if Django wants one.
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
    """Answer in JSON what gunicorn would answer in HTML, and a caller's mistake as a 400."""
    # A transfer coding would be a 501, and no input is the server's fault.
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
    """Take what is still being sent, for a moment: or the answer is lost with it (RFC 9112 §9.6)."""
    until = time.monotonic() + LINGER
    with suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        sock.settimeout(LINGER / 4)
        while time.monotonic() < until and sock.recv(65536):
            pass


# The one place where gunicorn writes an answer of its own; it has no setting for it.
util.write_error = refuse

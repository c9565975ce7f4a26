"""
gunicorn's settings for ``make serve``, and its access log.

The log holds a request's method and path, never its query, headers or body: those hold tokens.
"""

import json
import os
from typing import Any

from gunicorn.glogging import Logger

from .env import Environment
from .request_id import HEADER

bind = os.environ.get("BIND", "127.0.0.1:8000")
# Two processes at the least: one that is replaced leaves one that answers.
workers = int(os.environ.get("WEB_CONCURRENCY", max(2, os.cpu_count() or 1)))
worker_class = "gthread"
threads = 4
graceful_timeout = 30  # seconds in which a reload lets requests end
keepalive = 5  # seconds; a proxy in front asks again on the same connection
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  # heartbeats
control_socket_disable = True
# TRUSTED_PROXIES alone decides what is believed, in tokens.http.
forwarded_allow_ips = ""
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

    from tokens.http import ip_address_of

    request = WSGIRequest(environ)
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

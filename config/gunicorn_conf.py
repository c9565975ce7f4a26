"""
gunicorn's settings for ``make serve``, its access log, and the errors that it answers itself.

The logs hold a request's method and path, never its query, headers or body, which may hold tokens.
"""

import json
import os
import socket
from pathlib import Path
from typing import Any

from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http import errors

from .env import Environment
from .request_id import HEADER

_env = Environment()
bind = os.environ.get("BIND", "127.0.0.1:8000")
# At least two processes, so that one answers while the other is replaced.
workers = int(os.environ.get("WEB_CONCURRENCY") or max(2, os.cpu_count() or 1))
# With SERVER=asgi each process serves ASGI, and with it WebSockets, on an event loop.
worker_class = (
    "config.uvicorn_worker.Worker" if _env.server() == "asgi" else "config.gthread_worker.Worker"
)
threads = 4
graceful_timeout = 30  # seconds that a reload waits for running requests
# Seconds. Longer than the pools of proxies in front (nginx and most balancers: 60), or a request on
# a connection that is just being closed here becomes a 502 there. An idle connection holds no thread.
keepalive = 75
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  # heartbeats
control_socket_disable = True
# Only TRUSTED_PROXIES decides which forwarded headers are trusted, in tokens/client/.
forwarded_allow_ips = ""
# Over a Unix socket gunicorn would trust these whatever forwarded_allow_ips is.
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
accesslog = "-"

# A query that hangs would block its thread for ever. Set PGOPTIONS to change or lift the limits.
raw_env = [
    "PGOPTIONS="
    + os.environ.get(
        "PGOPTIONS", "-c statement_timeout=10s -c idle_in_transaction_session_timeout=30s"
    )
]


class AccessLog(Logger):
    """One line per request, in the format that LOG_FORMAT sets, and no query in any other."""

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        super().exception(msg, *(str(arg).partition("?")[0] for arg in args), **kwargs)

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
    from django.core.handlers.wsgi import get_path_info, get_script_name
    from django.utils import timezone

    from tokens.client import ip_address_in

    path = f"{get_script_name(environ).rstrip('/')}/{get_path_info(environ).replace('/', '', 1)}"
    members = {
        "time": timezone.now().isoformat(),
        "event": "request",
        "method": environ["REQUEST_METHOD"].upper(),
        "path": path,
        "status": status,
        "bytes": sent,
        "ms": round(seconds * 1000, 1),
        # Health checks come without the header, and would be reported as clients without an address.
        "ip": ip_address_in(environ, report=False),
        "request_id": request_id,
    }
    if _format == "json":
        return json.dumps(members)
    line = "{time} request {request_id} {method} {path} {status} bytes={bytes} ms={ms} ip={ip}"
    return line.format(**members | {"path": json.dumps(path)})


def on_starting(server: Any) -> None:
    """Delete the metrics of an earlier run, unless its workers still serve (gunicorn's USR2)."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder and "GUNICORN_PID" not in os.environ:
        for path in Path(folder).glob("*.db"):
            path.unlink()


def child_exit(server: Any, worker: Any) -> None:
    """Delete what holds for a live worker only, such as the age of its snapshot."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


logger_class = AccessLog
_format = _env.choice("LOG_FORMAT", "text", ("text", "json"))


def _name_only(error: Exception) -> str:
    """Describe a request that gunicorn refuses without the line of it that was wrong."""
    return type(error).__name__


for error in vars(errors).values():
    if isinstance(error, type) and issubclass(error, errors.ParseException):
        error.__str__ = _name_only  # type: ignore[method-assign,assignment]


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


# gunicorn writes all its own error answers here, and has no setting to replace it.
util.write_error = refuse

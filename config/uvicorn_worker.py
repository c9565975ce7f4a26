"""The worker of gunicorn that serves ASGI: ``SERVER=asgi make serve``."""

import asyncio
import socket
import sys
from typing import Any

from gunicorn.arbiter import Arbiter
from uvicorn.server import Server
from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]

# Seconds in which the request on a connection that was just accepted has come.
LAST_REQUESTS_WITHIN = 1.0


class Worker(UvicornWorker):  # type: ignore[misc]
    """Believes no forwarded header: only TRUSTED_PROXIES decides that, in tokens/client/."""

    CONFIG_KWARGS: dict[str, Any] = {
        **UvicornWorker.CONFIG_KWARGS,
        "proxy_headers": False,
        "ws_max_size": 1024 * 1024,
        # Seconds. uvicorn would wait for an open stream for ever, and gunicorn kill it after 30.
        "timeout_graceful_shutdown": 25,
    }

    async def _serve(self) -> None:
        """Do what UvicornWorker does, with another server."""
        self.config.app = self.wsgi
        server = PatientServer(config=self.config)
        self._install_sigquit_handler()
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)


class PatientServer(Server):
    """Answers the requests on connections that it has accepted before it closes idle ones."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn closes what has not sent its request yet, so that a reload would lose requests.
        for server in self.servers:
            server.close()
        await asyncio.sleep(LAST_REQUESTS_WITHIN)
        await super().shutdown(sockets)

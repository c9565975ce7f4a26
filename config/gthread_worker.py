"""The worker of gunicorn that serves WSGI: ``make serve``."""

import selectors
import socket
import ssl
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import TConn, ThreadWorker

# Seconds that a connection is read on after its last answer, for a client that does not close it.
LINGER = 2.0
PIECE = 65_536  # bytes


@dataclass(frozen=True, slots=True, eq=False)
class _Lingering:
    """A connection whose last answer is sent, and the instant of ``time.monotonic`` to close it."""

    sock: socket.socket
    until: float


class Worker(ThreadWorker):
    """
    Closes a connection without letting other clients wait for the client of that one.

    A client may lose an answer if the connection is closed while it still sends (RFC 9112 §9.6). So
    gunicorn closes only its own direction first, and then reads on until the client closes too, for
    two seconds at most. It does so in the thread that accepts all connections: a client that asks for
    ``Connection: close`` and then stays holds up everybody else. Here that thread answers others
    meanwhile, and reads on when something has arrived.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lingering: deque[_Lingering] = deque()

    def enqueue_req(self, conn: TConn) -> None:
        conn.close = partial(self._close, conn)  # type: ignore[method-assign]
        super().enqueue_req(conn)

    def murder_pending(self) -> None:
        """Close what has waited for too long. gunicorn calls this at least once a second."""
        super().murder_pending()
        while self._lingering and self._lingering[0].until <= time.monotonic():
            self._end(self._lingering[0])

    def _close(self, conn: TConn, graceful: bool = False) -> None:
        # It refers to the connection, which only Python's collector could free then.
        del conn.close
        if not graceful:
            conn.close()
            return
        lingering = _Lingering(conn.sock, until=time.monotonic() + LINGER)
        self._lingering.append(lingering)
        # It still counts as a connection: for the limit on these, and for a worker that stops.
        self.nr_conns += 1
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            on_readable = partial(self._read_on, lingering)
            self.poller.register(conn.sock, selectors.EVENT_READ, on_readable)
        except (OSError, ValueError):
            self._end(lingering)  # The client has closed the connection.

    def _read_on(self, lingering: _Lingering, _sock: Any = None) -> None:
        """Drop what has arrived. Close the connection if the client has."""
        try:
            is_open = bool(lingering.sock.recv(PIECE))
        except (BlockingIOError, ssl.SSLWantReadError):
            is_open = True
        except OSError:
            is_open = False
        if not is_open:
            self._end(lingering)

    def _end(self, lingering: _Lingering) -> None:
        self._lingering.remove(lingering)
        self.nr_conns -= 1
        with suppress(KeyError, ValueError):  # It was not registered, because it was closed.
            self.poller.unregister(lingering.sock)
        util.close(lingering.sock)

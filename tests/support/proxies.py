"""A TCP proxy to a PostgreSQL on this machine: a stable address, a link to cut, a silent peer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.ports import free_port

# What a connection that waits for notifications says, and no other.
LISTEN = b"LISTEN "


class _Link:
    """One connection through the proxy."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._client, self._server = client, server
        self.listens = False
        self.is_silent = False

    def start(self, proxy: "Proxy") -> None:
        for read, write in ((self._client, self._server), (self._server, self._client)):
            threading.Thread(target=self._pump, args=(proxy, read, write), daemon=True).start()

    def close(self) -> None:
        for each in (self._client, self._server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _pump(self, proxy: "Proxy", read: socket.socket, write: socket.socket) -> None:
        with suppress(OSError):
            while data := read.recv(65536):
                if read is self._client and LISTEN in data:
                    self.listens = True
                    self.is_silent = self.is_silent or proxy.swallows_listen
                # What arrives on a silent link is acknowledged, and goes no further.
                if not self.is_silent:
                    write.sendall(data)
        if not self.is_silent:
            self.close()


class Proxy:
    """Forwards each connection to ``target``, a port, which may change."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = free_port()
        # Whether a connection falls silent as soon as it asks for notifications.
        self.swallows_listen = False
        self._is_cut = False
        self._links: list[_Link] = []
        self._door = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection, and let no new one through."""
        self._is_cut = True
        self._close_links()

    def listeners(self) -> int:
        """Return how many connections have asked for notifications, those that ended included."""
        return sum(link.listens for link in self._links)

    def silence_listeners(self) -> None:
        """Let nothing more through on the connections that have asked for notifications."""
        for link in self._links:
            link.is_silent = link.is_silent or link.listens

    def close(self) -> None:
        self._door.close()
        self.cut()

    def _close_links(self) -> None:
        links, self._links = self._links, []
        for link in links:
            link.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._door.accept()
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            if self._is_cut:
                raise ConnectionRefusedError
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        link = _Link(client, server)
        self._links.append(link)
        link.start(self)


@contextmanager
def own_proxy(target: int) -> Iterator[Proxy]:
    """Run a proxy to this port until the block ends."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()

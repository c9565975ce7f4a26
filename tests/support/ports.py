"""Ports for the servers that tests start."""

import random
import socket

# Below those that Linux gives to outgoing connections, any of which could take a port between its choice
# and the start of the server.
_FIRST, _LAST = 12_000, 32_000


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing uses, chosen at random because other processes choose too."""
    while True:
        port = random.SystemRandom().randint(_FIRST, _LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port

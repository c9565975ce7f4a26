"""
Connections that end: WebSockets and streaming responses that a session's end closes.

    ends         why a connection ends, as clients are told
    connection   one open connection, which its holder renews or closes
    watcher      the connections of one place, such as a tenant, and how they are judged
    registry     the watchers of this process, and the threads that run them
    event_loop   a future for the end of a connection, and tasks that end
    websockets   the guard of an ASGI WebSocket app
    streams      the guard of a streaming response
    checks       system checks of the settings

This package can be deleted: then an open connection outlives the end of its session. ``set_up``
registers it. May import sessions and what is below it.
"""

from .connection import Connection
from .ends import WEBSOCKET_CLOSE_CODE, End
from .registry import forget, set_up, watch
from .streams import guarded
from .websockets import guard_websocket

__all__ = [
    "WEBSOCKET_CLOSE_CODE",
    "Connection",
    "End",
    "forget",
    "guard_websocket",
    "guarded",
    "set_up",
    "watch",
]

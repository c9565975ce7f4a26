"""One timer for all sockets of an event loop that have not authenticated yet."""

import asyncio
from collections import deque
from weakref import WeakKeyDictionary

# Seconds for the first message. The same for each socket, so that the first to open is the first due.
FIRST_MESSAGE_WITHIN = 10.0


class Deadlines:
    """The sockets that wait, in the order in which their time is over."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._now = loop.time
        self._call_at = loop.call_at
        self._future = loop.create_future

    def begin(self) -> "asyncio.Future[None]":
        """Return a future that is done when the time is over. Cancel it when it is needed no more."""
        future: asyncio.Future[None] = self._future()
        due = self._now() + FIRST_MESSAGE_WITHIN
        self._waiting.append((due, future))
        if self._timer is None:
            self._timer = self._call_at(due, self._look)
        return future

    def _look(self) -> None:
        self._timer = None
        now = self._now()
        while self._waiting:
            due, future = self._waiting[0]
            if not future.done():
                if due > now:
                    self._timer = self._call_at(due, self._look)
                    return
                future.set_result(None)
            self._waiting.popleft()


_of_loops: "WeakKeyDictionary[asyncio.AbstractEventLoop, Deadlines]" = WeakKeyDictionary()


def begin() -> "asyncio.Future[None]":
    """Begin the time for the first message of a socket."""
    loop = asyncio.get_running_loop()
    deadlines = _of_loops.get(loop)
    if deadlines is None:
        deadlines = _of_loops[loop] = Deadlines(loop)
    return deadlines.begin()

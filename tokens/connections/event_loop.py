"""What the guards need in an event loop: a future for the end of a connection, and tasks that end."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from .connection import Connection
from .ends import End

# ``watch``, with all arguments but ``on_end``.
Watch = Callable[[Callable[[End], None]], Connection]


@contextmanager
def watched(watch_this: Watch) -> Iterator[tuple[Connection, "asyncio.Future[End]"]]:
    """Watch a connection during the block. The future has a result as soon as the connection ends."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[End] = loop.create_future()

    def on_end(why: End) -> None:
        with suppress(RuntimeError):  # The loop is closed, and so is the connection.
            loop.call_soon_threadsafe(ended.set_result, why)

    with watch_this(on_end) as connection:
        yield connection, ended


def cancel_once(task: "asyncio.Task[Any]") -> None:
    """Cancel the task unless it is. A second cancellation would interrupt its cleaning up."""
    if not task.cancelling():
        task.cancel()


async def stop(task: "asyncio.Task[Any]") -> None:
    """
    Cancel the task unless it has ended, and wait for its end. Raises what the task raised.

    That the task was cancelled is no error. A cancellation of the caller is never lost: it is passed on to
    the task, and raised when the task has ended.
    """
    cancel_once(task)
    try:
        await task
    except asyncio.CancelledError:
        caller = asyncio.current_task()
        assert caller is not None  # noqa: S101  # Only a task awaits another one.
        if caller.cancelling():
            raise

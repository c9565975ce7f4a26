"""What is left of connections in this process."""

import asyncio
import gc
import time
from collections.abc import Set

from tests.connections.held import PATIENCE
from tokens.connections import Connection


def held() -> set[int]:
    """Return the ids of the connections that anything in this process still holds."""
    gc.collect()
    return {id(each) for each in gc.get_objects() if type(each) is Connection}


def wait_until_none_is_held(*, but: Set[int]) -> None:
    """Wait until no connection is held, but those that other tests have left."""
    # A thread that was just judging a connection holds it for a moment.
    deadline = time.monotonic() + PATIENCE
    while left := held() - but:
        assert time.monotonic() < deadline, f"{len(left)} connections are held for ever"
        time.sleep(0.02)


async def wait_until_no_task_is_left() -> None:
    """Wait until the caller's task is the only one, as Python closes generators by tasks."""
    deadline = time.monotonic() + PATIENCE
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        assert time.monotonic() < deadline, f"{others} are left for ever"
        await asyncio.sleep(0.01)

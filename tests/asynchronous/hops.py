"""Count the hops: the calls that an event loop hands to a thread."""

import asyncio
from typing import Any

import pytest


class Hops:
    """The number of calls of ``run_in_executor`` since the last ``take``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._count = 0
        original = asyncio.BaseEventLoop.run_in_executor

        def counting(loop: Any, executor: Any, function: Any, *args: Any) -> Any:
            self._count += 1
            return original(loop, executor, function, *args)

        monkeypatch.setattr(asyncio.BaseEventLoop, "run_in_executor", counting)

    def take(self) -> int:
        """Return how many there were since the last call."""
        count, self._count = self._count, 0
        return count

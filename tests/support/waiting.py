"""Wait for what another thread or process does."""

import time
from collections.abc import Callable
from typing import Any

from tests.support.processes import PATIENCE


def wait_until(is_true: Callable[[], Any], *, seconds: float = PATIENCE) -> None:
    """Return once ``is_true`` returns a true value. Fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"not true after {seconds} seconds"
        time.sleep(0.02)

"""
The current time, as an aware instant whatever the project's USE_TZ is, and the time that passes.

Every other package reads the time here, and nowhere else. May import nothing.
"""

import time
from datetime import UTC, datetime
from functools import partial

__all__ = ["elapsed", "now"]

_read = (
    # Linux: unlike time.monotonic(), it goes on while the machine is suspended.
    partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    if hasattr(time, "CLOCK_BOOTTIME")
    else time.monotonic
)


def now() -> datetime:
    """Return the current instant in UTC."""
    return datetime.now(UTC)


def elapsed() -> float:
    """Return seconds since an unknown instant: no step of the wall clock changes the difference."""
    return _read()

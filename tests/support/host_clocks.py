"""A wall clock for the processes of one host, which a test sets. Monotonic time goes on undisturbed."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

VARIABLE = "SECONDS_OFF_FILE"


class HostClock:
    """The clock of the processes that are started with ``environment``."""

    def __init__(self, path: Path, *, off: timedelta) -> None:
        self._path = path
        self.environment = {
            VARIABLE: str(path),
            "DJANGO_SETTINGS_MODULE": "tests.projects.stepping.settings",
        }
        self.set_off(off)

    def set_off(self, by: timedelta) -> None:
        """Let the clock be ahead of the right time by this much, or behind it."""
        # Put in place at once, as the processes read it all the time.
        new = self._path.with_suffix(".new")
        new.write_text(str(by.total_seconds()))
        new.replace(self._path)


def install() -> None:
    """Let this process read the wall clock that the file named by the environment sets."""
    from tokens import clock

    path, right_time = Path(os.environ[VARIABLE]), time.time

    def wall_time() -> float:
        return right_time() + float(path.read_text())

    time.time = wall_time
    clock.now = lambda: datetime.fromtimestamp(wall_time(), UTC)

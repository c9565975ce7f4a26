"""Say what is done, how far it is, and how long the rest takes."""

import time
from collections.abc import Callable

EVERY = 10.0  # seconds between two lines about one step


class Plan:
    """
    The steps of one measurement, each with the seconds that it is expected to take.

    What is left is judged by how much longer than expected the work has taken so far.
    """

    def __init__(self, say: Callable[[str], None], steps: dict[str, float]) -> None:
        self._say = say
        self._steps = steps
        self._began = time.monotonic()
        self._before = 0.0  # The expected seconds of all steps that are done.
        self._step = ""
        self._said = 0.0

    def begin(self, step: str) -> None:
        """Begin a step. The one before is done."""
        self._before += self._steps.get(self._step, 0.0)
        self._step = step
        self._tell("")

    def reached(self, done: int, total: int, *, before: int = 0) -> None:
        """Say how far the step is, unless that was said a moment ago. ``before`` were done already."""
        done += before
        if time.monotonic() - self._said > EVERY:
            self._tell(f", {done:,} of {total:,}", done / total)

    def _tell(self, how_far: str, share: float = 0.0) -> None:
        self._said = time.monotonic()
        self._say(f"{self._step}{how_far}; {self.left(share):.0f} s are left")

    def left(self, share: float = 0.0) -> float:
        """Return the seconds that are left when ``share`` of the step is done."""
        done = self._before + share * self._steps[self._step]
        rest = sum(self._steps.values()) - done
        return rest * ((time.monotonic() - self._began) / done if done else 1.0)

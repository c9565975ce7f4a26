"""What the clients know to be true, recorded during the soak."""

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Held:
    """One session as its client holds it; ``former`` has the refresh tokens that were rotated."""

    access: str
    refresh: str
    former: list[str] = field(default_factory=list)
    revoked_access: list[str] = field(default_factory=list)


class Ledger:
    """The number of each action, and a list of what was wrong."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.wrongs: list[str] = []
        self.dead: list[Held] = []

    def count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self.counts[what] += number

    def expect(self, held: bool, what: str) -> None:
        """Record ``what`` as wrong unless ``held`` is true."""
        with self._lock:
            self.counts["checks"] += 1
            if not held:
                self.wrongs.append(what)

    def bury(self, held: Held) -> None:
        """Remember a session that has ended. None of its tokens may be accepted again."""
        with self._lock:
            self.counts["sessions ended"] += 1
            self.dead.append(held)

    def line(self) -> str:
        with self._lock:
            done = "  ".join(f"{name} {number:,}" for name, number in sorted(self.counts.items()))
            return f"{done}  wrong {len(self.wrongs)}"

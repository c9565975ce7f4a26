"""What the clients know must be true, written down while the site is shaken."""

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Held:
    """One session as its client holds it; ``former`` are the refresh tokens it traded in."""

    access: str
    refresh: str
    former: list[str] = field(default_factory=list)
    revoked_access: list[str] = field(default_factory=list)


class Ledger:
    """Counts of what was done, and every time that the site was wrong."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.wrongs: list[str] = []
        self.dead: list[Held] = []

    def count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self.counts[what] += number

    def expect(self, held: bool, what: str) -> None:
        """Write down ``what`` was to be true, if it was not."""
        with self._lock:
            self.counts["checks"] += 1
            if not held:
                self.wrongs.append(what)

    def bury(self, held: Held) -> None:
        """Remember a session that was ended: no token of it is ever good again."""
        with self._lock:
            self.counts["sessions ended"] += 1
            self.dead.append(held)

    def line(self) -> str:
        with self._lock:
            done = "  ".join(f"{name} {number:,}" for name, number in sorted(self.counts.items()))
            return f"{done}  wrong {len(self.wrongs)}"

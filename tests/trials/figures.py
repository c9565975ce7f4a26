"""The figures of the trials, and their table."""

from dataclasses import dataclass, field


@dataclass
class Figures:
    """
    What one trial counted.

    ``done`` has what it did, ``wrong`` what must never happen, and ``examples`` a line for some of it.
    ``least`` is the smallest number that must have been done of some of ``done``: a trial that did
    nothing has shown nothing.
    """

    trial: str
    client: str = ""
    done: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)
    least: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def count(self, what: str, number: int = 1) -> None:
        self.done[what] = self.done.get(what, 0) + number

    def expect(self, held: bool, what: str, example: str) -> None:
        """Count ``what`` as wrong unless ``held`` is true. It has a column also where it is 0."""
        self.wrong.setdefault(what, 0)
        if not held:
            self.wrong[what] += 1
            self.examples.append(f"{what}: {example}")

    def add(self, other: "Figures") -> None:
        """Add what another process counted in the same trial."""
        for mine, theirs in ((self.done, other.done), (self.wrong, other.wrong)):
            for what, number in theirs.items():
                mine[what] = mine.get(what, 0) + number
        self.examples += other.examples

    def shortfalls(self) -> list[str]:
        """Return what the trial did too little of."""
        return [
            f"{self.done.get(what, 0):,} {what}, and not {number:,}"
            for what, number in self.least.items()
            if self.done.get(what, 0) < number
        ]

    def failures(self) -> list[str]:
        wrong = [f"{number:,} {what}" for what, number in self.wrong.items() if number]
        return [*wrong, *self.shortfalls()]


def line(figures: Figures, *, engine: str, seconds: float) -> str:
    counts = {**figures.done, **figures.wrong}
    words = ", ".join(f"{number:,} {what}" for what, number in counts.items())
    verdict = "FAILED" if figures.failures() else "ok"
    where = f"{figures.trial:<42} {engine:<10} {figures.client:<8}"
    return f"{where} {verdict:<6} {seconds:4.0f} s  {words}"

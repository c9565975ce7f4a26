"""What ``test_model`` expects of a session: the table of ``refreshing``, without a database."""

from dataclasses import dataclass, field

from tokens.models import EndReason

LEEWAY, GRACE, ACCESS, IDLE, ABSOLUTE = 10, 30, 300, 14 * 86400, 90 * 86400  # seconds
RETENTION = 90 * 86400


@dataclass(eq=False)
class Modelled:
    """The table of a refresh token's answers; instants are whole seconds."""

    limit: int
    idle_until: int
    grace_since: int
    generation: int = 0
    on_proof: bool = False
    proven: int = 0  # the current generation when a successor came first
    seen: bool = False
    noted: int = -1  # the generation whose use was noted, and is not yet written
    repeats: int = 0
    ended_as: str = ""
    denied: set[int] = field(default_factory=set)
    stolen: bool = False

    def use(self, generation: int) -> None:
        self.noted = max(self.noted, generation)

    def write_notes(self) -> None:
        self.seen = self.seen or self.noted == self.generation
        self.noted = -1

    def end(self, reason: str) -> None:
        self.ended_as = self.ended_as or reason

    def is_late(self, now: int) -> bool:
        return now - self.grace_since > GRACE

    def position(self, generation: int) -> int:
        """Return the generation as which a token is answered by the table."""
        if self.on_proof and not self.proven:
            return self.generation
        if self.proven and generation <= self.proven:
            return self.proven if generation else self.proven - 1
        return generation

    def would_refresh(self, generation: int, now: int) -> bool:
        position = self.position(generation)
        if position == self.generation:
            return True
        return position == self.generation - 1 and not (self.is_late(now) and self.seen)

    def refresh(self, generation: int, now: int) -> None:
        is_current = self.position(generation) == self.generation
        if generation and not self.proven and self.would_refresh(generation, now):
            self.proven = self.generation
        if is_current and (self.is_late(now) or not self.generation):
            self.generation, self.grace_since, self.seen = self.generation + 1, now, False
            self.idle_until = min(now + IDLE, self.limit)
        elif is_current or self.would_refresh(generation, now):
            self.repeats += 1
            if not is_current and not self.seen and now - self.grace_since > GRACE / 2:
                self.grace_since = now  # It may be the first answer that arrives.
            if generation == self.generation:
                self.use(generation)
        else:
            self.end(EndReason.REUSE)

"""
Random histories of a denylist and of clocks: after each reading, the copy has every row that matters.

A step denies, commits late, loses rows as a failover does, restores the rows of an earlier time, sets
the sequence back or hands out numbers in blocks, prunes, steps a clock, forks, or reads. HISTORY_STEPS
in the environment runs more of them than the suite does.
"""

import os
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tokens import denylist
from tokens.denylist import PRUNE_SAFETY_MARGIN, longest_accepted
from tokens.models import DeniedToken
from tokens.snapshot import copy
from tokens.snapshot.copy import Copy

pytestmark = pytest.mark.slow

STEPS = int(os.environ.get("HISTORY_STEPS", "3000"))
PROCESSES = 3
LIFE = timedelta(minutes=5)
START = datetime(2030, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class World:
    """The database, the processes with their copies, and what they are right about."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.passed = 0.0  # seconds
        self.copies = [Copy() for _ in range(PROCESSES)]
        self.apart = [timedelta(0)] * PROCESSES  # how far each process's clock is ahead
        self.number = 1  # the next one of the sequence
        self.blocks: list[int] = []  # numbers that a connection has kept for later
        self.late: list[DeniedToken] = []  # inserted, and not committed
        self.saved: list[DeniedToken] = []  # a backup
        self.issued: dict[str, datetime] = {}  # the tokens that can still be alive

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def clock_of(self, process: int) -> datetime:
        return self.now + self.apart[process]

    def step(self) -> None:
        verbs: list[tuple[int, Callable[[], None]]] = [
            (30, self.deny),
            (6, self.deny_without_a_commit),
            (6, self.commit_what_is_late),
            (1, self.fail_over),
            (1, self.restore),
            (2, self.back_up),
            (2, self.prune),
            (3, self.keep_a_block_of_numbers),
            (1, self.set_the_sequence_back),
            (2, self.step_a_clock),
            (1, self.fork),
            (8, self.pass_time),
            (37, self.read),
        ]
        weights, functions = zip(*verbs, strict=True)
        self.chance.choices(functions, weights)[0]()

    def deny(self) -> None:
        process = self.chance.randrange(PROCESSES)
        row = self._row(process)
        row.save(force_insert=True)
        self.copies[process].add([(row.value, None)])

    def deny_without_a_commit(self) -> None:
        self.late.append(self._row(self.chance.randrange(PROCESSES)))

    def commit_what_is_late(self) -> None:
        if self.late:
            self.late.pop(self.chance.randrange(len(self.late))).save(force_insert=True)

    def fail_over(self) -> None:
        """The last rows are gone, and so are transactions under way and the sequence."""
        left = list(DeniedToken.objects.order_by("pk").values_list("pk", flat=True))
        lost = left[len(left) - self.chance.randrange(len(left) + 1) :]
        DeniedToken.objects.filter(pk__in=lost).delete()
        self.late, self.blocks = [], []
        self.number = max([*left, 0]) - len(lost) + self.chance.choice([1, 1, 33])
        self._skip_taken_numbers()

    def back_up(self) -> None:
        self.saved = list(DeniedToken.objects.all())

    def restore(self) -> None:
        DeniedToken.objects.all().delete()
        DeniedToken.objects.bulk_create(self.saved)
        self.late, self.blocks = [], []
        self.number = max([row.pk for row in self.saved], default=0) + 1

    def prune(self) -> None:
        denylist.prunable(now=self.now).delete()

    def keep_a_block_of_numbers(self) -> None:
        for _ in range(5):
            self._skip_taken_numbers()
            self.blocks.append(self.number)

    def set_the_sequence_back(self) -> None:
        self.number = max(1, self.number - self.chance.randrange(20))
        self._skip_taken_numbers()

    def step_a_clock(self) -> None:
        minutes = self.chance.choice([-20, 0, 20])
        # Only one of them, and it comes right again: two could be 40 minutes apart.
        self.apart = [timedelta(0)] * PROCESSES
        self.apart[self.chance.randrange(PROCESSES)] = timedelta(minutes=minutes)

    def fork(self) -> None:
        self.copies[self.chance.randrange(PROCESSES)] = Copy()

    def pass_time(self) -> None:
        self.passed += self.chance.choice([1, 5, 60, 60, 400, 4000])
        dead = self.now - LIFE - timedelta(minutes=45)
        self.issued = {value: at for value, at in self.issued.items() if at > dead}

    def read(self) -> None:
        self.passed += 2  # longer than the bound
        process = self.chance.randrange(PROCESSES)
        now = self.clock_of(process)
        denied = set(DeniedToken.objects.values_list("value", flat=True))
        accepted = {
            value
            for value, at in self.issued.items()
            # As the process checks exp, iat and the age of a token.
            if at - 10 * SECOND <= now < at + LIFE + 10 * SECOND
            and now - at <= copy.LOOKED_UP_AFTER
            and self._is_good(process, value, now)
        }
        assert not accepted & denied, f"accepted although denied, at {self.now}"

    def _is_good(self, process: int, value: str, now: datetime) -> bool:
        return self.copies[process].is_known_good([value], subject="", issued_at=2**40, now=now)

    def _row(self, process: int) -> DeniedToken:
        """Return a denial of a token that was issued lately by a host whose clock is right."""
        value = f"token {self.chance.getrandbits(60)}"
        self.issued[value] = self.now - self.chance.randrange(300) * SECOND
        now = self.clock_of(process)
        return DeniedToken(
            pk=self._next_number(),
            value=value,
            kind=DeniedToken.Kind.TOKEN,
            reason="?",
            denied_at=now,
            until=now + longest_accepted(),
        )

    def _next_number(self) -> int:
        if self.blocks and self.chance.random() < 0.3:
            return self.blocks.pop(self.chance.randrange(len(self.blocks)))
        self._skip_taken_numbers()
        self.number += 1
        return self.number - 1

    def _skip_taken_numbers(self) -> None:
        """An INSERT with a number that is taken fails, and is tried again with the next."""
        taken = {row.pk for row in self.late} | set(self.blocks)
        taken |= set(DeniedToken.objects.filter(pk__gte=self.number).values_list("pk", flat=True))
        self.number = max(self.number, 1)
        while self.number in taken:
            self.number += 1


@pytest.mark.django_db
@pytest.mark.usefixtures("snapshot_mode")
def test_no_history_of_the_database_makes_a_copy_accept_what_is_denied(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.TOKENS_DENYLIST_MAX_STALENESS = SECOND
    assert copy.HELD_BACK + copy.RENEWED_AFTER < PRUNE_SAFETY_MARGIN
    monkeypatch.setattr(copy, "OVERLAP", 3)
    monkeypatch.setattr(copy, "_sees_new_commits", lambda connection: True)
    monkeypatch.setattr("tokens.denylist.notifications._open", lambda place, wake: None)
    world = World(seed=0)
    monkeypatch.setattr("tokens.clock.elapsed", lambda: world.passed)
    for _ in range(STEPS):
        world.step()

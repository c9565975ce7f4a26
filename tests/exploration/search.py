"""The search: run every schedule of a scenario, but continue no state twice."""

import heapq
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache, partial
from hashlib import blake2b
from itertools import pairwise
from typing import Any

from django.contrib.auth import get_user_model
from django.test import override_settings

from tokens import keyring
from tokens.keyring import ring
from tokens.models import SigningKey

from . import databases
from .player import Player, Verb
from .processes import Processes, separate_processes
from .promises import check_commit, check_end
from .turns import Actor, Stage
from .verbs import NAME
from .worker import Outcome
from .world import World, listening

VACUUM_EVERY = 500  # schedules
ATTEMPTS = 50  # to come to the same state again

Schedule = tuple[int, ...]
State = bytes


@dataclass(frozen=True)
class Scenario:
    """
    Who does what at the same time.

    ``before`` is called first. An ``honest`` actor is never refused, and what is in an honest store
    stays good. ``ring_age`` is how many seconds ago each process has read the key ring; none signs by
    a copy older than one second. ``known`` says by engine which promise is known to be broken.
    """

    name: str
    before: Sequence[Verb]
    actors: Mapping[str, Sequence[Verb]]
    honest: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    ring_age: float = 0.0
    only_on: str = ""  # the engine
    known: Mapping[str, str] = field(default_factory=dict)


def explore(scenario: Scenario, *, until_found: bool = False) -> Outcome:
    """
    Return what all schedules of the scenario come to.

    With ``until_found`` the search ends at the first violation. Schedules with few changes from one
    actor to another come first, so the one that shows a violation is easy to read.
    """
    with _Explorer(scenario) as explorer:
        return explorer.run(until_found=until_found)


class _Explorer:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.outcome = Outcome(scenario.name)
        self._next: dict[State, dict[int, State]] = {}  # the states that follow each state
        self._root: State = b""
        self._runs = 0
        self._stack = ExitStack()

    def __enter__(self) -> "_Explorer":
        stack = self._stack
        stack.enter_context(override_settings(**self.scenario.settings))
        self.processes = Processes()
        stack.enter_context(separate_processes(self.processes))
        stack.enter_context(listening(self.processes))
        self.stage = Stage()
        stack.callback(self.stage.close)
        self._prepare()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    def _prepare(self) -> None:
        """Do what comes before, and keep what every schedule begins with."""
        databases.write({table: [] for table in databases.read()})
        self.processes.seconds = 0.0
        self.world = World(self.processes)
        main = Player("main", self.world)
        keyring.ensure()
        get_user_model().objects.create_user(NAME, f"{NAME}@example.org", "old")
        for verb in self.scenario.before:
            verb(main)
        assert not main.refusals, main.refusals
        assert not self.world.violations, self.world.violations
        self.rows = databases.read()
        self.ring = ring._read(ring._caches.of(SigningKey))
        self.began_at = self.processes.seconds

    def run(self, *, until_found: bool) -> Outcome:
        began, outcome = time.monotonic(), self.outcome
        # Those with the fewest changes of actor come first, and of these the newest.
        pending: list[tuple[int, int, Schedule, State]] = [(0, 0, (), b"")]
        while pending and not (until_found and outcome.violations):
            _, _, schedule, parent = heapq.heappop(pending)
            for other, state in self._run_on(schedule, parent):
                heapq.heappush(pending, (_changes(other), -self._runs, other, state))
        outcome.seconds = time.monotonic() - began
        outcome.states, outcome.covered = len(self._next), self._count_paths()
        return outcome

    def _run_on(self, schedule: Schedule, parent: State) -> Iterator[tuple[Schedule, State]]:
        """
        Run this schedule and go on with it until it comes to a state that was there before.

        ``parent`` is the state before its last step. Yield the schedules that branch off.
        """
        run = self._replay(schedule[:-1], parent)
        try:
            if schedule:
                run.step(schedule[-1])
            while (state := self._enter(run, schedule, parent)) is not None:
                choices = run.choices()
                if not choices:
                    self.outcome.schedules += 1
                    run.finish()
                    return
                same = schedule[-1] if schedule and schedule[-1] in choices else choices[0]
                yield from (((*schedule, place), state) for place in choices if place != same)
                run.step(same)
                schedule, parent = (*schedule, same), state
        finally:
            run.end()
            if self._runs % VACUUM_EVERY == 0:
                databases.vacuum()
            for violation in run.world.violations:
                self.outcome.violations.setdefault(violation, tuple(run.steps))

    def _replay(self, schedule: Schedule, parent: State) -> "_Run":
        """
        Return a run that has come to this state.

        If several actors wait for the same row, PostgreSQL decides which of them gets it first.
        """
        for _ in range(ATTEMPTS):
            self._runs += 1
            run = _Run(self)
            if all(map(run.try_step, schedule)) and (not parent or run.state() == parent):
                return run
            run.end()
        raise AssertionError("The same schedule comes to other states, time and again.")

    def _enter(self, run: "_Run", schedule: Schedule, parent: State) -> State | None:
        """Return the state of the run, or None if it is known."""
        state = run.state()
        if schedule:
            self._next[parent][schedule[-1]] = state
        if state in self._next:
            return None
        self._next[state] = {}
        self._root = self._root or state
        return state

    def _count_paths(self) -> int:
        @cache
        def paths(state: State) -> int:
            return sum(map(paths, self._next[state].values())) or 1

        return paths(self._root)


class _Run:
    """One schedule that is being run."""

    def __init__(self, explorer: _Explorer) -> None:
        scenario, processes = explorer.scenario, explorer.processes
        self._explorer, self._stage = explorer, explorer.stage
        self.world = explorer.world.copy()
        self.steps: list[str] = []
        self._players: list[Player] = []
        processes.seconds = explorer.began_at
        databases.write(explorer.rows)
        self._rows = explorer.rows
        for name in scenario.actors:
            read_at = explorer.began_at - scenario.ring_age
            processes.process(name).begin(explorer.ring, ring_read_at=read_at)

        def script(verbs: Sequence[Verb], name: str, actor: Actor) -> None:
            player = Player(name, self.world, actor)
            self._players.append(player)
            for verb in verbs:
                verb(player)

        self._stage.begin(
            (name, partial(script, verbs, name)) for name, verbs in scenario.actors.items()
        )

    def choices(self) -> list[int]:
        return self._stage.choices()

    def step(self, place: int) -> None:
        actor = self._stage.actors[place]
        self.steps.append(f"{actor.name}: {actor.next}")
        if self._stage.step(place):
            before, self._rows = self._rows, databases.read()
            check_commit(before, self._rows, self.world)

    def try_step(self, place: int) -> bool:
        """Make the step, and return True, if this actor can have the turn."""
        if place not in self.choices():
            return False
        self.step(place)
        return True

    def state(self) -> State:
        return blake2b(repr(self.everything()).encode(), digest_size=12).digest()

    def everything(self) -> Any:
        """Return what decides how the schedule goes on, and what the promises are about."""
        actors = [
            (
                player.state(),
                actor.finished or actor.next,
                actor.got,
                actor.waits_since,
                self.world.processes.process(actor.name).state(),
            )
            for actor, player in zip(self._stage.actors, self._players, strict=True)
        ]
        return databases.content(self._rows), self.world.state(), actors

    def finish(self) -> None:
        """Check the promises after the last step."""
        scenario = self._explorer.scenario
        if waiting := self._stage.deadlock():
            each = ", ".join(f"{actor.name} at {actor.next}" for actor in waiting)
            self.world.violate(f"deadlock: {each}")
            return
        for actor, player in zip(self._stage.actors, self._players, strict=True):
            if actor.error:
                self.world.violate(f"{actor.name} failed: {actor.error!r}")
            if actor.name in scenario.honest:
                for refusal in player.refusals:
                    self.world.violate(f"{actor.name} was refused: {refusal}")
        check_end(self.world, self._rows, processes=list(scenario.actors), honest=scenario.honest)

    def end(self) -> None:
        self._stage.end()
        self.world.processes.enter("main")


def _changes(schedule: Schedule) -> int:
    """Return how often another actor is next."""
    return sum(a != b for a, b in pairwise(schedule))

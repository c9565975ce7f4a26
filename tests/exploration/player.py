"""One who acts in one schedule: calls, and keeps the ledger of the answers."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from rest_framework.exceptions import ValidationError

from tokens.client import Client
from tokens.errors import RefreshTokenReused, TokenError
from tokens.jose import TokenType
from tokens.keyring import RotationConflict

from .turns import Actor
from .world import Fact, Held, World, refusing

REFUSALS = (TokenError, RotationConflict, ValidationError)


class Player:
    """Without an ``actor``, one who acts before the schedule begins."""

    def __init__(self, name: str, world: World, actor: Actor | None = None) -> None:
        self.name, self.world, self.actor = name, world, actor
        self.process = world.processes.enter(name)
        if name.startswith("thief"):
            self.client = Client("203.0.113.9", "curl")
        else:
            self.client = Client("192.0.2.1", "browser")
        self.refusals: list[str] = []
        self.knew: frozenset[Fact] = frozenset()  # when its last verb began
        self._calls = 0
        self._uses: Held | None = None
        self._began: tuple[frozenset[Fact], float] | None = None
        self._in_rollback = False
        self._answers: list[Fact] = []  # They leave when the caller's transaction is over.
        if actor:
            actor.on_turn = self._on_turn

    def state(self) -> Any:
        began = self._began and (sorted(fact.what for fact in self._began[0]), self._began[1])
        uses = self._uses and self._uses.raw_access
        answers = [fact.what for fact in self._answers]
        return self._calls, began, uses, answers, self._in_rollback, self.refusals

    def pause(self, why: str) -> None:
        if self.actor:
            self.actor.pause(why)

    def act(
        self,
        what: str,
        work: Callable[[], Any],
        *,
        uses: Held | None = None,
        type: TokenType = TokenType.REFRESH,
    ) -> Any:
        """Return ``work()``, or None if it is refused; check that it is not accepted wrongly."""
        world, self._began, self._uses = self.world, None, uses
        if uses:
            # A pair is used when it has arrived, and not before.
            ahead = uses.dated - world.processes.seconds
            self.process.offset = max(self.process.offset, ahead)
        self.process.events.clear()
        result, refusal = None, None
        try:
            result = work() or True
        except REFUSALS as error:
            refusal = error
            self.refusals.append(f"{what}: {error.__class__.__name__}")
        self.knew, now = self._began or (world.facts, world.processes.seconds)
        if result and uses:
            for fact in refusing(self.knew, uses, type, now=now):
                world.violate(f"{self.name}: {what} was accepted, although {fact}")
        if isinstance(refusal, RefreshTokenReused) and uses:
            self.ended(uses.sid)
        self._uses = None
        self._go_on()
        return result

    def answer(
        self,
        what: str,
        concerns: Callable[[Held, TokenType], bool],
        *,
        lasts: bool = True,
        **how: bool,
    ) -> None:
        """
        Note that something is taken back, once the answer leaves.

        What does not last is undone with the caller's transaction.
        """
        fact = Fact(what, self.world.processes.seconds, concerns, **how)
        if not self._in_rollback:
            self.world.facts |= {fact}
        elif lasts:
            self._answers.append(fact)

    def ended(self, sid: Any) -> None:
        self.answer(f"session {str(sid)[:4]} ended", lambda held, _: held.sid == sid)

    def store(self, held: Held, to: str) -> None:
        """Put a pair into a store, when its answer arrives."""
        self._uses = held
        self.pause(f"the answer {held} arrives at the store of {to}")
        self._uses = None
        self.world.held[to] = held

    def roll_back(self, verbs: "Iterable[Verb]") -> None:
        """Call the verbs in a transaction that is rolled back in the end, as DRF does."""
        with transaction.atomic():
            self._in_rollback = True
            for verb in verbs:
                verb(self)
            transaction.set_rollback(True)
        self._in_rollback = False
        self.world.facts |= set(self._answers)
        self._answers.clear()
        self._go_on()

    def _go_on(self) -> None:
        for event in self.process.events:
            self.world.events[event] += 1
            if event[0] == "session_ended":
                self.ended(event[1])
        self._calls += 1
        if self.actor and not self._in_rollback:
            self.actor.got.clear()

    def _on_turn(self) -> None:
        if self._began is None:
            self._began = (self.world.facts, self.world.processes.seconds)


Verb = Callable[[Player], None]

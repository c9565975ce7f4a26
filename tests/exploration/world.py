"""What was handed out and what was taken back in one schedule."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from tokens import signals
from tokens.conf import conf
from tokens.jose import TokenType
from tokens.sessions import TokenPair

from .processes import Processes, seconds_of


@dataclass(frozen=True)
class Held:
    """
    A pair that was handed out, and what its session comes from.

    That is the keys that have signed, the password, and what was taken back before the sign-in.
    """

    raw_access: str = field(repr=False)
    raw_refresh: str = field(repr=False)
    sid: UUID
    generation: int
    dated: float  # in seconds
    access_until: float
    kids: frozenset[str]
    password: str
    signed_in_after: frozenset[str]

    def __str__(self) -> str:
        return f"{str(self.sid)[:4]}/{self.generation}"


@dataclass(frozen=True)
class Fact:
    """
    Something that an answer said is taken back, since ``at`` seconds.

    The rows of its sessions have ended if it ``ends`` them. A sign-in that was under way may be
    refused or not if it is ``sweeping``.
    """

    what: str
    at: float
    concerns: Callable[[Held, TokenType], bool] = field(compare=False, repr=False)
    ends: bool = True
    sweeping: bool = False


@dataclass
class World:
    """``held`` is what each client has in its store, and ``handed`` is every pair that was issued."""

    processes: Processes
    held: dict[str, Held] = field(default_factory=dict)
    handed: frozenset[Held] = frozenset()
    facts: frozenset[Fact] = frozenset()
    events: Counter[Any] = field(default_factory=Counter)  # signal, sid and generation
    violations: list[str] = field(default_factory=list)

    def copy(self) -> "World":
        """Return a world that goes on from here."""
        return replace(self, held=dict(self.held), events=Counter(self.events), violations=[])

    def state(self) -> Any:
        return (
            self.processes.seconds,
            sorted((name, held.raw_access) for name, held in self.held.items()),
            sorted(held.raw_access for held in self.handed),
            sorted((fact.what, fact.at) for fact in self.facts),
            sorted(map(repr, self.events.items())),
        )

    def violate(self, what: str) -> None:
        self.violations.append(what)

    def hand_out(self, pair: TokenPair, *, of: Held | None = None, **origin: Any) -> Held:
        """Note what was handed out; its session is that ``of`` another pair, or has an origin."""
        kids = frozenset({pair.session.kid}) | (of.kids if of else frozenset())
        new = {
            "raw_access": pair.raw_access,
            "raw_refresh": pair.raw_refresh,
            "sid": pair.session.pk,
            "generation": pair.session.generation,
            "dated": seconds_of(pair.answered_at),
            "access_until": seconds_of(pair.access_expires_at),
            "kids": kids,
            **origin,
        }
        held = replace(of, **new) if of else Held(**new)
        self.handed |= {held}
        return held


def refusing(facts: Iterable[Fact], held: Held, type: TokenType, *, now: float) -> list[str]:
    """Return those of the facts by which this token must be refused at ``now``."""
    has_bound = type is TokenType.ACCESS and is_snapshot()
    return sorted(
        fact.what
        for fact in facts
        if fact.concerns(held, type) and not (has_bound and now - fact.at <= bound())
    )


def is_snapshot() -> bool:
    return conf.TOKENS_DENYLIST_MODE == "snapshot"


def bound() -> float:
    return conf.TOKENS_DENYLIST_MAX_STALENESS.total_seconds()


@contextmanager
def listening(processes: Processes) -> Iterator[None]:
    """Let each process keep the signals that it sends."""

    def listen(sender: Any, signal: Any, **arguments: Any) -> None:
        session = arguments.get("session")
        sid = session.pk if session else arguments.get("sid")
        event = (signals.SIGNALS[signal], sid, session and session.generation)
        processes.here.events.append(event)

    for signal in signals.SIGNALS:
        signal.connect(listen)
    try:
        yield
    finally:
        for signal in signals.SIGNALS:
            signal.disconnect(listen)

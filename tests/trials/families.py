"""
Clients that share one store without a lock, and whose answers get lost for seconds, minutes and days.

No member of a family may meet a dead session. Members are threads or processes with connections of
their own, which wake up at the same moment. The clock is virtual: all members derive the same plan
from the number of their family.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from tests.trials.figures import Figures
from tests.trials.opened import a_user
from tests.trials.stores import Kept, Store, kept_of
from tests.trials.thefts import OWNER, steal
from tokens import sessions
from tokens.errors import TokenError
from tokens.models import Session
from tokens.sessions import Client, TokenPair, seen

START = datetime(2030, 1, 1, tzinfo=UTC)
ROUNDS = 6

# Of one round, in virtual seconds. A token arrives within the grace after it was read: a client that
# waits longer must read its store again.
ARRIVES_WITHIN = 10.0
TRIES_AGAIN_AFTER = 11.0  # with the same token, when no answer came
ROUND = 25.0
# Between two rounds: after an answer was stored, the access token expires first.
AFTER_AN_ANSWER = [(330.0, 3600.0), (86400.0, 4 * 86400.0)]
AFTER_NONE = [(1.0, 60.0), (60.0, 3600.0), (86400.0, 4 * 86400.0)]

HELD_UP = 0.005  # real seconds, about as long as a refresh takes


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of family: its members, and whether its sessions are stolen at the end."""

    name: str
    members: tuple[Client, ...]
    is_stolen: bool = True


TABS = Kind("2 tabs with one store", (OWNER,) * 2)
PROCESSES = Kind("3 processes with one file", (OWNER,) * 3)
# A server that renders pages has the tokens from the browser's cookies, and both refresh them.
RENDERING = Kind(
    "server and browser",
    (Client("203.0.113.5", "node"), Client("192.0.2.1", "Firefox")),
    is_stolen=False,
)


@dataclass(frozen=True, slots=True)
class Waking:
    """What one member does in a round. ``late`` and ``queued`` are real seconds."""

    is_awake: bool
    late: float
    queued: float
    arrives: float
    lost: tuple[bool, ...]  # one for each try


def live(
    kind: Kind, number: int, me: int, store: Store, meet: Callable[[], object], figures: Figures
) -> None:
    """Live the life of family ``number`` as its member ``me``. ``meet`` waits for all members."""
    chance = Random(number)
    now = START
    pair = None
    if me == number % len(kind.members):
        pair = sessions.start(a_user(), client=OWNER, now=now)
        store.write(kept_of(pair, now=now))
    meet()
    for _ in range(ROUNDS):
        wakings = _plan(chance, len(kind.members))
        now += _gap(chance, store.read(), now=now)
        meet()
        wake(wakings[me], store, figures, client=kind.members[me], now=now)
        seen.flush()  # By the next round, more than a second has passed.
        meet()
        now += timedelta(seconds=ROUND)
    if pair:
        _judge(number, pair, store, figures)
        if kind.is_stolen and not store.death():
            steal(store.read(), chance, figures, now=now)


def _judge(number: int, pair: TokenPair, store: Store, figures: Figures) -> None:
    row = Session.objects.get(pk=pair.session.pk)
    figures.count("sessions")
    figures.count("repeats", row.repeats)
    figures.count("repeats elsewhere", row.repeats_elsewhere)
    is_dead = row.ended_at is not None or store.death()
    figures.expect(not is_dead, "dead sessions", f"family {number}, {store.death()}")


def _plan(chance: Random, members: int) -> list[Waking]:
    loses = chance.choice((0.1, 0.5, 1.0))  # how much the network loses in this round
    return [
        Waking(
            is_awake=chance.random() < 0.8,
            late=chance.uniform(0, HELD_UP),
            queued=chance.uniform(0, HELD_UP),
            arrives=chance.uniform(0, ARRIVES_WITHIN),
            lost=tuple(chance.random() < loses for _ in range(chance.choice((1, 2)))),
        )
        for _ in range(members)
    ]


def _gap(chance: Random, kept: Kept, *, now: datetime) -> timedelta:
    """Return the time until the next round. The refresh token does not expire in it."""
    answered = now.timestamp() - kept.at <= ROUND
    shortest, longest = chance.choice(AFTER_AN_ANSWER if answered else AFTER_NONE)
    left = kept.until - now.timestamp()
    return timedelta(seconds=min(chance.uniform(shortest, longest), left / 3))


def wake(waking: Waking, store: Store, figures: Figures, *, client: Client, now: datetime) -> None:
    """Call; if that is refused, refresh with what the store has then, store the answer, and call."""
    kept = store.read()
    if not waking.is_awake or _is_accepted(kept, now=now):
        return
    time.sleep(waking.late)
    kept = store.read()
    time.sleep(waking.queued)
    for attempt, lost in enumerate(waking.lost):
        at = max(now.timestamp() + waking.arrives, kept.at) + attempt * TRIES_AGAIN_AFTER
        arrives = datetime.fromtimestamp(at, UTC)
        try:
            pair = sessions.refresh(kept.refresh, client=client, now=arrives)
        except TokenError as error:
            waited = (arrives - now).total_seconds()
            store.bury(f"try {attempt + 1} at {arrives}, {waited:.1f} s after it woke up: {error}")
            return
        figures.count("refreshes")
        if lost:
            figures.count("answers lost")
            continue
        answer = kept_of(pair, now=arrives)
        store.write(answer)
        if not _is_accepted(answer, now=arrives):
            store.bury("its new access token was refused")
        return


def _is_accepted(kept: Kept, *, now: datetime) -> bool:
    # Another member may have stored it in this round, a few seconds later.
    now = max(now, datetime.fromtimestamp(kept.at, UTC))
    try:
        sessions.authenticate(kept.access, now=now)
    except TokenError:
        return False
    return True

"""The promises that are checked after each schedule, and after each commit."""

from typing import Any

from tokens import sessions
from tokens.conf import conf
from tokens.errors import TokenError
from tokens.jose import TokenType

from .databases import SESSION_COLUMNS, SESSIONS, Rows
from .world import Held, World, bound, is_snapshot, refusing

LATER = 400.0  # seconds after which an access token has expired, and the grace is over


def check_commit(before: Rows, after: Rows, world: World) -> None:
    """Check that no session that ended lives again, and that no generation comes again."""
    former, current = _sessions(before), _sessions(after)
    for sid, row in current.items():
        if sid in former and former[sid]["ended_at"] and not row["ended_at"]:
            world.violate(f"session {sid[:4]} ended and lives again")
        if sid in former and former[sid]["generation"] > row["generation"]:
            world.violate(f"session {sid[:4]} went back to generation {row['generation']}")


def check_end(world: World, rows: Rows, *, processes: list[str], honest: tuple[str, ...]) -> None:
    """Check what must hold when every actor has its answer. Afterwards the schedule is over."""
    _check_rows(world, _sessions(rows))
    last = max(held.dated for held in world.handed)
    world.processes.seconds = max(world.processes.seconds, last)
    if is_snapshot():
        world.processes.seconds += bound() + 1
        for name in processes:
            world.processes.enter(name)
            _check_access(world, f"by the process of {name}")
    world.processes.enter("main").begin(None, ring_read_at=0.0)
    _check_access(world, "in the end")
    for held in _oldest_first(world):
        facts = _refusing(world, held, TokenType.REFRESH)
        for verb in (sessions.verify, sessions.refresh) if facts else ():
            if _accepts(verb, held.raw_refresh):
                world.violate(f"{verb.__name__} accepts {held} in the end, although {facts[0]}")
    world.processes.seconds += LATER
    for name in world.held.keys() & set(honest):
        held = world.held[name]
        if not _refusing(world, held, TokenType.REFRESH):
            pair = _accepts(sessions.refresh, held.raw_refresh)
            if not pair or not _accepts(sessions.authenticate, pair.raw_access):
                world.violate(f"{name} is signed out, with {held} in its store")


def _check_access(world: World, where: str) -> None:
    """Check that each access token is accepted unless something says that it is taken back."""
    for held in _oldest_first(world):
        facts = _refusing(world, held, TokenType.ACCESS)
        accepted = _accepts(sessions.authenticate, held.raw_access)
        if accepted and facts:
            world.violate(f"the access token {held} is accepted {where}, although {facts[0]}")
        may_be_refused = world.processes.seconds >= held.access_until or any(
            fact.sweeping and fact.what not in held.signed_in_after for fact in world.facts
        )
        if not accepted and not facts and not may_be_refused:
            world.violate(f"the access token {held} is refused {where}, and nothing says why")


def _check_rows(world: World, rows: dict[str, dict[str, Any]]) -> None:
    handed = {held.sid.hex for held in world.handed}
    for sid, row in rows.items():
        named = {(n, g): count for (n, s, g), count in world.events.items() if s and s.hex == sid}
        repeats = sum(count for (name, _), count in named.items() if name == "refresh_repeated")
        if repeats != row["repeats"]:
            world.violate(f"{row['repeats']} repeats are counted, and {repeats} were reported")
        if bool(row["ended_at"]) != named.get(("session_ended", None), 0):
            world.violate(
                f"session {sid[:4]} is {row['end_reason'] or 'live'}, and not reported so"
            )
        if sid not in handed:
            world.violate(f"session {sid[:4]} exists, and its sign-in was refused")
    for held in _oldest_first(world):
        last: Any = rows.get(held.sid.hex)
        if last and last["generation"] == held.generation and not last["ended_at"]:
            for fact in world.facts:
                if fact.ends and fact.concerns(held, TokenType.REFRESH):
                    world.violate(f"the row of {held} is live, although {fact.what}")
    limit, live = conf.TOKENS_SESSIONS_PER_USER, [r for r in rows.values() if not r["ended_at"]]
    if len(live) > limit:
        world.violate(f"{len(live)} sessions are live, and {limit} are allowed")
    for (name, _, generation), count in world.events.items():
        if name == "session_refreshed" and count > 1:
            world.violate(f"{count} rotations won generation {generation}")
    for held in world.handed:
        if held.sid.hex in rows and held.generation > rows[held.sid.hex]["generation"]:
            world.violate(f"{held} was handed out, and is of no generation of the session")


def _oldest_first(world: World) -> list[Held]:
    return sorted(world.handed, key=lambda held: (held.sid, held.generation, held.dated))


def _refusing(world: World, held: Held, type: TokenType) -> list[str]:
    return refusing(world.facts, held, type, now=world.processes.seconds)


def _accepts(verb: Any, raw_token: str) -> Any:
    try:
        return verb(raw_token)
    except TokenError:
        return None


def _sessions(rows: Rows) -> dict[str, dict[str, Any]]:
    """Return the rows of the sessions by the hex digits of their ids."""
    named = (dict(zip(SESSION_COLUMNS, row, strict=True)) for row in rows[SESSIONS])
    return {str(row["id"]).replace("-", ""): row for row in named}

"""Hold thousands of WebSockets, let sessions end in another process, and count what happens."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from statistics import median

from tests.open_connections.plan import Plan
from tests.open_connections.processes import (
    HELD_BY_ONE,
    Holder,
    Process,
    cpu_of,
    memory_of,
    serving,
    transactions,
)

CLOSE_CODE = 4401
SIGN_IN, OPEN, QUIET = "users sign in", "WebSockets are opened", "nothing happens"
REVOKE, REFRESH, WAIT = "sessions are revoked", "all others are refreshed", "nothing else may close"


@dataclass(frozen=True)
class Crowd:
    """What is measured, and within which limits."""

    engine: str
    connections: int
    workers: int = 2
    revoked: int = 100
    bound: float = 1.0  # seconds: TOKENS_DENYLIST_MAX_STALENESS
    usual: float = (
        0.05  # seconds from the beginning of a revocation to the close frame, in the median
    )
    quiet: float = 20.0  # seconds in which the transactions of the idle servers are counted

    def steps(self) -> dict[str, float]:
        """Return the seconds that each step takes on a machine with nothing else to do."""
        return {
            SIGN_IN: 2 + 0.006 * self.connections,
            OPEN: 4 + 0.005 * self.connections,
            QUIET: self.bound + self.quiet,
            REVOKE: 2 * self.bound + 0.06 * self.revoked,
            REFRESH: 0.006 * self.connections,
            WAIT: 2 * self.bound,
        }


@dataclass
class Found:
    """What one crowd showed. ``failures`` says which line fell short."""

    crowd: Crowd
    took: list[float] = field(default_factory=list)
    kilobytes_each: float = 0.0
    per_second: float | None = None  # transactions while nothing happens
    busy: float = 0.0  # the servers' share of one core meanwhile
    failures: list[str] = field(default_factory=list)

    def fail(self, text: str) -> None:
        self.failures.append(f"{self.crowd.engine}: {text}")

    def row(self) -> str:
        times = "none closed"
        if self.took:
            times = f"{median(self.took) * 1000:.0f} / {max(self.took) * 1000:.0f} ms"
        quiet = "not counted" if self.per_second is None else f"{self.per_second:.1f}"
        crowd = self.crowd
        return (
            f"| {crowd.engine} | {crowd.connections:,} | {crowd.bound:g} s | {times} "
            f"| {self.kilobytes_each:.0f} kB | {quiet} | {self.busy:.0%} |"
        )


def measure(crowd: Crowd, say: Callable[[str], None]) -> Found:
    """Hold the connections on the database of DATABASE_URL, and return what happened."""
    found = Found(crowd)
    total = crowd.connections
    plan = Plan(lambda text: say(f"{crowd.engine}, {total:,} connections: {text}"), crowd.steps())
    with ExitStack() as stack:
        plan.begin(SIGN_IN)
        users = stack.enter_context(Process("tests.open_connections.users", str(total)))
        tokens = dict(enumerate(users.result(plan.reached, total)))
        port, server = stack.enter_context(serving(crowd.workers))
        before = memory_of(server)
        plan.begin(OPEN)
        holders = _opened(found, plan, stack, port, tokens)
        plan.begin(QUIET)
        time.sleep(crowd.bound)
        found.kilobytes_each = (memory_of(server) - before) / total
        _count_quiet(found, server)
        plan.begin(REVOKE)
        users.write(f"revoke 0 {crowd.revoked}\n")
        answers = users.result(plan.reached, crowd.revoked)
        began = {int(number): at for number, at in answers.items()}
        judge_revoked(found, holders, began)
        plan.begin(REFRESH)
        users.write(f"refresh {crowd.revoked} {total}\n")
        refreshed = users.result(plan.reached, total - crowd.revoked)
        plan.begin(WAIT)
        time.sleep(2 * crowd.bound)
        if refreshed != total - crowd.revoked:
            found.fail(f"only {refreshed:,} sessions could be refreshed.")
        judge_others(found, holders, began)
    return found


def _opened(
    found: Found, plan: Plan, stack: ExitStack, port: int, tokens: dict[int, str]
) -> list[Holder]:
    """Open a connection for each token, by one process after the other."""
    total = len(tokens)
    rest = iter(tokens.items())
    holders: list[Holder] = []
    opened = 0
    while some := dict(islice(rest, HELD_BY_ONE)):
        holder = stack.enter_context(Holder(port, some))
        opened += holder.open_all(partial(plan.reached, before=opened), total)
        holders.append(holder)
    if opened != total:
        found.fail(f"only {opened:,} of {total:,} connections could be opened.")
    return holders


def _count_quiet(found: Found, server: int) -> None:
    url, seconds = os.environ["DATABASE_URL"], found.crowd.quiet
    first, cpu = transactions(url), cpu_of(server)
    time.sleep(seconds)
    last = transactions(url)
    found.busy = (cpu_of(server) - cpu) / seconds
    if first is not None and last is not None:
        found.per_second = (last - first) / seconds


def _ended(holders: list[Holder]) -> dict[int, tuple[float, int | None]]:
    return {number: end for holder in holders for number, end in list(holder.ended.items())}


def judge_revoked(found: Found, holders: list[Holder], began: dict[int, float]) -> None:
    crowd = found.crowd
    deadline = time.monotonic() + 2 * crowd.bound
    while time.monotonic() < deadline and not began.keys() <= _ended(holders).keys():
        time.sleep(0.05)
    ended = _ended(holders)
    closed = began.keys() & ended.keys()
    if len(closed) < crowd.revoked:
        found.fail(f"{crowd.revoked - len(closed)} revoked connections stayed open.")
    codes = {ended[number][1] for number in closed}
    if codes - {CLOSE_CODE}:
        found.fail(f"the close codes were {codes}.")
    found.took = [ended[number][0] - began[number] for number in sorted(closed)]
    if not found.took:
        return
    if median(found.took) > crowd.usual:
        found.fail(
            f"they closed after {median(found.took) * 1000:.0f} ms in the median, and not after "
            f"{crowd.usual * 1000:.0f} ms."
        )
    if max(found.took) > crowd.bound:
        found.fail(f"one closed after {max(found.took):.2f} s, and the bound is {crowd.bound:g} s.")


def judge_others(found: Found, holders: list[Holder], began: dict[int, float]) -> None:
    others = _ended(holders).keys() - began.keys()
    if others:
        found.fail(f"{len(others)} other connections were closed.")
    for holder in holders:
        if holder.failure:
            found.fail(f"a process that held connections failed: {holder.failure}")

"""
Measure async views under uvicorn: without authentication, in each mode, and simplejwt under adrf.

``python -m benchmarks.asynchronous`` measures on PostgreSQL, by one process of uvicorn for each mode. Every
view is measured right beside the same view without authentication, of the same process, so that what
else the machine does concerns both. It exits with 1 if an aim is missed.
"""

import math
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

from .http import Server, status_of
from .uvicorns import Uvicorn, running

# Rounds go on until it is clear on which side of its aim each share is, within these numbers.
LEAST_ROUNDS, MOST_ROUNDS = 15, 60
SECONDS = 0.5  # for each view in each round
# Before each measurement. In snapshot mode, a request causes the next reading. After a pause of a second
# the copy is too old, and the first requests run strict mode's query.
WARM_UP_SECONDS = 0.05
CONNECTIONS = 4
NORMAL_95 = 1.96  # standard deviations on each side of the mean


class View(NamedTuple):
    """A view with authentication, the one without, the server and the token."""

    name: str
    mode: str
    path: str
    without: str
    token: str = "ours"
    aim: float | None = None  # its least share of the requests per second without authentication


VIEWS = (
    View("async view, snapshot", "snapshot", "/tokens/", "/open/", aim=0.9),
    View("async view, strict", "strict", "/tokens/", "/open/", aim=0.6),
    View("adrf, snapshot", "snapshot", "/adrf/tokens/", "/adrf/open/"),
    View("adrf, strict", "strict", "/adrf/tokens/", "/adrf/open/"),
    View("adrf, simplejwt", "strict", "/adrf/simplejwt/", "/adrf/open/", "simplejwt"),
)


@dataclass
class Measured:
    """What was measured of one view, each time beside the view without authentication."""

    view: View
    rates: list[float] = field(default_factory=list)
    rates_without: list[float] = field(default_factory=list)
    # Of the server's process, in all rounds together: the system counts in steps of 10 ms.
    cpu: float = 0.0
    cpu_without: float = 0.0
    requests: int = 0
    requests_without: int = 0

    @property
    def shares(self) -> list[float]:
        pairs = zip(self.rates, self.rates_without, strict=True)
        return sorted(rate / without for rate, without in pairs)

    @property
    def share(self) -> float:
        return median(self.shares)

    @property
    def interval(self) -> tuple[float, float]:
        """Return between what the true median is, with a probability of 95 %."""
        shares = self.shares
        count = len(shares)
        first = max(math.floor((count - NORMAL_95 * math.sqrt(count)) / 2), 0)
        return shares[first], shares[count - 1 - first]

    @property
    def cpu_each(self) -> tuple[float, float]:
        """Return the CPU time of one request, in microseconds: with authentication, and without."""
        with_it = self.cpu / max(self.requests, 1)
        return with_it * 1e6, self.cpu_without / max(self.requests_without, 1) * 1e6

    def is_clear(self) -> bool:
        """Return whether it is clear on which side of its aim the share is."""
        low, high = self.interval
        return self.view.aim is None or not low < self.view.aim <= high

    def row(self) -> str:
        low, high = self.interval
        with_it, without = self.cpu_each
        aim = "" if self.view.aim is None else f"{self.view.aim:g}"
        return (
            f"| {self.view.name} | {median(self.rates):.0f} | {median(self.rates_without):.0f} "
            f"| {self.share:.2f} ({low:.2f} to {high:.2f}) | {aim} | {with_it:.0f} µs | {without:.0f} µs "
            f"| {without / with_it if with_it else math.nan:.2f} |"
        )

    def failure(self) -> str | None:
        """Return what fell short, or None."""
        if self.view.aim is None or self.share >= self.view.aim:
            return None
        low, high = self.interval
        with_it, without = self.cpu_each
        return (
            f"{self.view.name}: {self.share:.2f} of the requests per second without authentication, and not "
            f"{self.view.aim:g} ({low:.2f} to {high:.2f} in {len(self.rates)} rounds; by the server's CPU "
            f"time {without / with_it if with_it else math.nan:.2f})."
        )


def table(found: list[Measured]) -> list[str]:
    return [
        "| | requests per second | without authentication | share (95 % interval) | aim "
        "| CPU time of the server for each | without | share by CPU time |",
        "|---|---|---|---|---|---|---|---|",
        *(measured.row() for measured in found),
    ]


def measure(
    say: Callable[[str], None], *, least: int = LEAST_ROUNDS, most: int = MOST_ROUNDS
) -> list[Measured]:
    """Measure on the database of DATABASE_URL, with ``asynchronous_settings``. Django is set up."""
    tokens = _tokens()
    found = [Measured(view) for view in VIEWS]
    with ExitStack() as stack:
        servers = {mode: stack.enter_context(running(mode)) for mode in ("snapshot", "strict")}
        for number in range(most + 1):
            began = time.monotonic()
            for measured in found:
                # The first round warms up.
                one_round = measured if number else Measured(measured.view)
                _measure_once(one_round, servers, tokens, authenticated_first=bool(number % 2))
            if number >= least and all(measured.is_clear() for measured in found):
                break
            left = (max(least, 1) - number) * (time.monotonic() - began)
            if number % 5 == 0:
                more = f"{left:.0f} s are left" if left > 0 else "until the shares are clear"
                say(f"async views: round {number} of {least} to {most}; {more}")
    return found


def _measure_once(
    measured: Measured,
    servers: dict[str, Uvicorn],
    tokens: dict[str, str],
    *,
    authenticated_first: bool,
) -> None:
    view = measured.view
    server = servers[view.mode]

    def with_it() -> None:
        requests, cpu = _requests(server, view.path, tokens[view.token])
        measured.rates.append(requests / SECONDS)
        measured.requests += requests
        measured.cpu += cpu

    def without() -> None:
        requests, cpu = _requests(server, view.without, "")
        measured.rates_without.append(requests / SECONDS)
        measured.requests_without += requests
        measured.cpu_without += cpu

    for once in (with_it, without) if authenticated_first else (without, with_it):
        once()


def _requests(uvicorn: Uvicorn, path: str, raw_token: str) -> tuple[int, float]:
    """Return how many requests of CONNECTIONS clients were answered, and the server's CPU time."""
    server = Server(uvicorn.port)
    message = server.message("GET", path, f"Bearer {raw_token}" if raw_token else "")

    def call(until: float) -> int:
        count = 0
        with server.connect() as connection:
            while time.perf_counter() < until:
                if (status := status_of(connection, message)) != 200:
                    raise RuntimeError(f"{path} answered {status}")
                count += 1
        return count

    with ThreadPoolExecutor(CONNECTIONS) as pool:

        def call_for(seconds: float) -> int:
            until = time.perf_counter() + seconds
            return sum(pool.map(call, [until] * CONNECTIONS))

        call_for(WARM_UP_SECONDS)
        before = uvicorn.cpu_seconds()
        return call_for(SECONDS), uvicorn.cpu_seconds() - before


def _tokens() -> dict[str, str]:
    from datetime import timedelta

    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connections
    from rest_framework_simplejwt.tokens import AccessToken

    from tokens import sessions

    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create(username="ada")
    theirs = AccessToken.for_user(user)
    theirs.set_exp(lifetime=timedelta(hours=1))
    # Snapshot mode looks up a token that is older than 15 minutes.
    ours = sessions.issue_access_token(user, lifetime=timedelta(minutes=14))
    connections.close_all()
    return {"ours": ours.raw_access, "simplejwt": str(theirs)}


def set_up(database_url: str) -> None:
    """Set Django up with this database and the settings of the measurement."""
    import django

    from .processes import environment

    os.environ.update(environment(database_url))
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.asynchronous_settings"
    django.setup()


def main() -> Any:
    """Print the figures. Return 1 if an aim is missed."""
    from tests.support.services import engine_server, temporary_database

    with engine_server("postgresql") as server, temporary_database(server) as url:
        set_up(url)
        found = measure(print)
    print("\n".join(table(found)))
    failures = [failure for measured in found if (failure := measured.failure())]
    print("\n".join(failures) or "Every share reaches its aim.")
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())

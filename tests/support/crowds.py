"""Many sessions at a site in snapshot mode: sign them in, revoke them, ask who is still let in."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, islice

from tests.support.mixed import claims_of
from tests.support.processes import Site, manage

SNAPSHOT_SETTINGS = "tests.projects.snapshot.settings"
# Seconds: TOKENS_DENYLIST_MAX_STALENESS of these settings.
BOUND = 1.0
# Enough for each of two workers to answer about each token.
TIMES = 4
_CLIENTS = 8

_REVOKE = """
import sys
from tokens import sessions
from tokens.models import Session

sids = sys.stdin.read().split()
sessions.end(Session.objects.filter(pk__in=sids), reason=sessions.EndReason.REVOKED)
"""


@dataclass(frozen=True, slots=True)
class Member:
    """A session of the crowd, with its first pair of tokens."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)

    @property
    def sid(self) -> str:
        return str(claims_of(self.access)["sid"])


def gather(site: Site, names: Iterable[str], password: str, *, count: int) -> list[Member]:
    """Sign in ``count`` times, as these users by turns."""

    def sign_in(name: str) -> Member:
        answer = site.ask("/api/token/", body={"username": name, "password": password})
        assert answer.status == 200, answer.body
        return Member(answer.json()["access"], answer.json()["refresh"])

    with ThreadPoolExecutor(_CLIENTS) as pool:
        return list(pool.map(sign_in, islice(cycle(names), count)))


def revoke_here(site: Site, members: list[Member]) -> None:
    """Revoke each session at the site itself."""

    def revoke(member: Member) -> int:
        return site.ask("/api/token/revoke/", body={"token": member.refresh}).status

    with ThreadPoolExecutor(_CLIENTS) as pool:
        assert set(pool.map(revoke, members)) == {200}


def revoke_elsewhere(database_url: str, members: list[Member]) -> None:
    """Revoke the sessions in bulk, in a process of its own."""
    done = manage(
        "shell",
        "-v0",
        "-c",
        _REVOKE,
        answer=" ".join(member.sid for member in members),
        DATABASE_URL=database_url,
        DJANGO_SETTINGS_MODULE=SNAPSHOT_SETTINGS,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def statuses(site: Site, members: list[Member], *, path: str = "/who/") -> list[set[int]]:
    """Return for each session what its access token met, in any of several requests."""

    def ask(member: Member) -> int:
        return site.ask(path, raw_access=member.access).status

    with ThreadPoolExecutor(_CLIENTS) as pool:
        rounds = [list(pool.map(ask, members)) for _ in range(TIMES)]
    return [set(met) for met in zip(*rounds, strict=True)]


def let_in(site: Site, members: list[Member]) -> int:
    """Return how many of the access tokens the site accepted in any of several requests."""
    return sum(200 in met for met in statuses(site, members))


def all_accepted(site: Site, members: list[Member]) -> bool:
    """Return whether the site accepted each access token in each of several requests."""
    return all(met == {200} for met in statuses(site, members))


def wait_for_the_bound() -> None:
    time.sleep(BOUND)

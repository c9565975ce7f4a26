"""
Measure each operation by number of rows, with one database and one process per size.

In each round every size runs an operation for a moment, so that a ratio between two sizes is taken
within a round, as in ``measure``.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from .processes import ROOT, environment

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "20"))
MOMENT = 0.012  # seconds that one contender runs in one round
TOKENS = 20  # sessions from anywhere in the table, whose tokens are used in turn
ROWS_OF_ADA = 60  # more than a page shows, at every size


class Sized:
    """The process that measures one size."""

    def __init__(self, size: int, database_url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.sizes", str(size)],
            cwd=ROOT,
            env=environment(database_url),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **question: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate()


def measure(database_urls: dict[int, str]) -> dict[str, dict[str, list[float]]]:
    """Fill each database to its size; return the seconds per call, by contender and size."""
    sized: dict[int, Sized] = {}
    for size, url in database_urls.items():
        print(f"  {url.split(':')[0]}: {size:,} rows", file=sys.stderr, flush=True)
        sized[size] = Sized(size, url)
        took = sized[size].ask(say="made")
        print(f"    made in {took:.0f} s", file=sys.stderr, flush=True)
    sizes = list(sized)
    names = sized[sizes[0]].ask(say="names")
    repeats = {name: max(1, int(MOMENT / sized[sizes[0]].ask(run=name, times=3))) for name in names}
    timings: dict[str, dict[str, list[float]]] = {
        f"by size, {name}": {str(size): [] for size in sizes} for name in names
    }
    for turn in range(ROUNDS):
        for name in names:
            for size in sizes[turn % len(sizes) :] + sizes[: turn % len(sizes)]:
                seconds = sized[size].ask(run=name, times=repeats[name])
                timings[f"by size, {name}"][str(size)].append(seconds)
    for one in sized.values():
        one.close()
    return timings


def serve(size: int) -> None:
    """Fill the database, then answer the requests on standard input."""
    import time

    import django

    django.setup()
    from django.core.management import call_command

    from tokens.models import Session

    from . import data

    began = time.perf_counter()
    call_command("migrate", verbosity=0)
    if not Session.objects.exists():
        data.fill(size)
    made, calls = time.perf_counter() - began, _contenders()
    for line in sys.stdin:
        question = json.loads(line)
        match question:
            case {"say": "made"}:
                answer: Any = made
            case {"say": "names"}:
                answer = list(calls)
            case {"run": name, "times": times}:
                call = calls[name]
                # Run the same calls untimed first, so that every size finds its pages in memory.
                # Between two rounds, the lists of a large table evict them.
                for _ in range(times):
                    call()
                began = time.perf_counter()
                for _ in range(times):
                    call()
                answer = (time.perf_counter() - began) / times
        print(json.dumps(answer), flush=True)


def _contenders() -> dict[str, Callable[[], Any]]:
    """Return the operations of promise 10. Each finds as many rows at every size."""
    from datetime import timedelta

    from django.contrib.auth import get_user_model
    from django.test import Client
    from django.utils import timezone

    from tokens import sessions
    from tokens.models import DeniedToken, Session

    user = get_user_model()._default_manager.create_superuser("ada", "ada@example.org", "secret")
    here, now = sessions.Client("198.51.100.7", "Mozilla/5.0 Firefox/145.0"), timezone.now()
    own = [
        sessions.start(user, client=here, now=now - timedelta(minutes=minutes))
        for minutes in reversed(range(ROWS_OF_ADA))
    ]
    staff, api = Client(), Client(headers={"Authorization": f"Bearer {own[-1].raw_access}"})
    staff.force_login(user)
    sid = own[-1].session.pk
    denial = DeniedToken.objects.order_by("-pk").values_list("value", flat=True)[0]
    pairs = list(_pairs_of_others())
    turns = {"access": 0, "refresh": 0}

    def authenticate() -> None:
        turns["access"] = (turns["access"] + 1) % len(pairs)
        sessions.authenticate(pairs[turns["access"]].raw_access)

    def refresh() -> None:
        at = turns["refresh"] = (turns["refresh"] + 1) % len(pairs)
        pairs[at] = sessions.refresh(pairs[at].raw_refresh, client=here)

    def page(client: Client, path: str) -> Callable[[], Any]:
        def call() -> None:
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer)

        return call

    session, denied = "/admin/tokens/session/", "/admin/tokens/deniedtoken/"
    pages = {
        "admin: sessions": session,
        "admin: denylist": denied,
        "admin: search by jti": f"{denied}?q={denial}",
        "admin: search by sid": f"{session}?q={sid}",
        "admin: search by user": f"{session}?q=ada",
        "admin: search by address": f"{session}?q=198.51.100.7",
        "admin: sessions that ended": f"{session}?state=ended",
        "admin: keys": "/admin/tokens/signingkey/",
        "admin: a user": f"/admin/accounts/user/{user.pk}/change/",
        "admin: users": "/admin/accounts/user/",
        "admin: first page": "/admin/",
    }
    assert Session.objects.filter(ended_at__isnull=False).count() > ROWS_OF_ADA
    return {
        "authenticate": authenticate,
        "refresh": refresh,
        "sign-in, without the hash": lambda: sessions.start(user, client=here),
        "GET /api/sessions/": page(api, "/api/sessions/"),
        **{name: page(staff, path) for name, path in pages.items()},
    }


def _pairs_of_others() -> Iterator[Any]:
    """Yield pairs of live sessions from anywhere in the table."""
    from uuid import UUID, uuid4

    from django.utils import timezone

    from tokens import keyring, sessions
    from tokens.models import Session
    from tokens.sessions import pairs

    kid, seen, now = keyring.signing_key().kid, set[UUID](), timezone.now()
    while len(seen) < TOKENS:
        for session in Session.objects.filter(pk__gte=uuid4()).order_by("pk")[:20]:
            open_here = session.ended_at is None and session.kid == kid
            if open_here and session.idle_until > now and session.pk not in seen:
                seen.add(session.pk)
                yield sessions.refresh(pairs.issue(session, now=now).raw_refresh)
                break


if __name__ == "__main__":
    serve(int(sys.argv[1]))

"""
Our site on the former one's database: what each token is answered, now and later.

``python -m tests.takeover.site.go_on PARALLEL FORGERIES`` reads what ``begin`` has printed, fails at the first wrong
answer, and prints how many answers it has seen.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any
from unittest import mock

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from tests.takeover.site import forged  # noqa: E402
from tokens import sessions  # noqa: E402
from tokens.conf import conf  # noqa: E402
from tokens.models import EndReason, Session, SessionKind  # noqa: E402
from tokens.takeover.models import Switch  # noqa: E402

Person = dict[str, Any]
CALLERS = 8
ON_PROOF = conf.TOKENS_ROTATION == "on_proof"
counted: Counter[str] = Counter()


def call(raw_access: str) -> Any:
    return Client().get("/api/whoami/", headers={"Authorization": f"Bearer {raw_access}"})


def refresh(raw_refresh: str) -> Any:
    return Client().post("/api/token/refresh/", {"refresh": raw_refresh})


def expect(status: int, answer: Any, what: str) -> Any:
    assert answer.status_code == status, (what, answer.status_code, answer.content)
    counted[f"{what}: {status}"] += 1
    return answer.json()


@contextmanager
def after(passed: timedelta) -> Iterator[datetime]:
    now = timezone.now() + passed
    with mock.patch("tokens.clock.now", return_value=now):
        yield now


def in_parallel(act: Callable[[], Any], callers: int) -> list[Any]:
    """Call from several threads at once, each with a connection of its own."""
    barrier = Barrier(callers)

    def run(_: int) -> Any:
        connection.ensure_connection()
        barrier.wait(timeout=300)
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(run, range(callers)))


def take_back(people: list[Person]) -> None:
    """Each way reaches tokens that were not shown yet."""

    def end_all(user: User) -> None:
        sessions.end_all(user, reason=EndReason.REVOKED)

    def change_password(user: User) -> None:
        user.set_password("another")
        user.save()

    def deactivate(user: User) -> None:
        user.is_active = False
        user.save()

    for n, person in enumerate(people):
        way = (end_all, change_password, deactivate)[n % 3]
        way(User.objects.get(username=person["name"]))
        expect(401, call(person["access"]), f"call after {way.__name__}")
        expect(401, refresh(person["refresh"]), f"refresh after {way.__name__}")


def go_on(good: list[Person], parallel: int) -> None:
    for n, person in enumerate(good):
        assert expect(200, call(person["access"]), "call")["username"] == person["name"]
        callers = CALLERS if n < parallel else 1
        answers = in_parallel(partial(refresh, person["refresh"]), callers)
        pairs = {expect(200, answer, f"refresh by {callers}")["refresh"] for answer in answers}
        assert len(pairs) == 1, "parallel callers got different pairs"
        person["next"] = pairs.pop()
        expect(200, call(answers[0].json()["access"]), "call with a new token")
    assert Session.objects.filter(kind=SessionKind.PAIR, generation=1).count() == len(good)
    for passed in (timedelta(minutes=6), timedelta(days=3)):
        with after(passed):
            for person in good:
                raw = person["refresh"] if ON_PROOF else person["next"]
                pair = expect(200, refresh(raw), f"refresh after {passed}")
                person["next"] = pair["refresh"]
                expect(200, call(pair["access"]), f"call after {passed}")
    with after(timedelta(days=3)):
        for person in good:
            expect(401, call(person["access"]), "expired former access token")
    assert Session.objects.filter(kind=SessionKind.PAIR, generation__gt=0).count() == len(good)
    assert not Session.objects.filter(end_reason=EndReason.REUSE).exists()


def main(people: list[Person], parallel: int, each: int) -> None:
    began = time.monotonic()
    call_command("migrate", verbosity=0)
    call_command("switch_from_simplejwt", "--adopt", "--noinput", stdout=sys.stderr)
    time.sleep(1.1)  # Tokens tell the time in seconds.
    call_command(
        *("switch_from_simplejwt", "--adopt", "--noinput", "--cut-over", "now"), stdout=sys.stderr
    )
    cut_over = Switch.objects.get().cut_over_at
    for person in people:
        if person["state"] in {"inactive", "deleted"}:
            expect(401, call(person["access"]), f"call of one {person['state']}")
        if person["state"] != "good":
            expect(401, refresh(person["refresh"]), f"refresh of one {person['state']}")
    good = [person for person in people if person["state"] == "good"]
    some = max(3, len(good) // 20)
    take_back(good[:some])
    left = good[some:]
    for kind, raw, is_refresh in forged.tokens(left, cut_over=cut_over, each=each):
        ask = refresh if is_refresh else call
        expect(401, ask(raw), f"forged: {kind}")
    go_on(left, parallel)
    counted["seconds"] = round(time.monotonic() - began)
    print(json.dumps({"engine": connection.vendor, **counted}))  # noqa: T201


if __name__ == "__main__":
    main(json.load(sys.stdin), int(sys.argv[1]), int(sys.argv[2]))

"""Let callers in several processes use one ticket at once, and try tickets that must not be accepted."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any


def measure(engine: str, rounds: int, say: Any) -> list[str]:
    """Return what fell short on the database of DATABASE_URL."""
    from django.contrib.auth import get_user_model

    from tests.support.races import PROCESSES, THREADS, race
    from tokens import clock, keyring, sessions
    from tokens.errors import TokenError
    from tokens.models import Session
    from tokens.secret import Secret
    from tokens.sessions import EndReason
    from tokens.tickets import issuing

    keyring.ensure()
    user = get_user_model().objects.create_user("ada", "ada@example.org", "x")
    failures = []

    def ticket() -> Secret[str]:
        claims = sessions.authenticate(sessions.start(user).raw_access).claims
        return issuing.issue(claims, method="GET", path="/", now=clock.now())

    for number in range(rounds):
        say(
            f"{engine}: round {number + 1} of {rounds}: {PROCESSES * THREADS} threads of {PROCESSES} processes with one ticket"
        )
        answers = Counter(race(*["redeem"] * PROCESSES, raw_token=ticket().reveal()))
        if answers["redeemed"] != 1 or len(answers) != 2:
            failures.append(f"{engine}: {PROCESSES * THREADS} callers got {dict(answers)}.")

    def end(_: Secret[str]) -> dict[str, Any]:
        sessions.end(Session.objects.filter(user=user), reason=EndReason.LOGOUT)
        return {}

    def use(used: Secret[str]) -> dict[str, Any]:
        issuing.redeem(used, method="GET", path="/", now=clock.now())
        return {}

    refused: dict[str, Callable[[Secret[str]], dict[str, Any]]] = {
        "after the end of its session": end,
        "for another path": lambda _: {"path": "/other/"},
        "for another method": lambda _: {"method": "POST"},
        "after 31 seconds": lambda _: {"now": clock.now() + timedelta(seconds=31)},
        "for the second time": use,
    }
    for when, prepare in refused.items():
        tried = ticket()
        changes = prepare(tried)
        try:
            issuing.redeem(tried, **{"method": "GET", "path": "/", "now": clock.now(), **changes})
        except TokenError:
            continue
        failures.append(f"{engine}: a ticket was accepted {when}.")
    return failures

"""Print what happened at each door, as JSON by the name of the story and of the door."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, get_user_model  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.test.utils import (  # noqa: E402
    setup_databases,
    setup_test_environment,
    teardown_databases,
)

from tests.projects.doors.doors import DOORS, FAILING, Door  # noqa: E402
from tests.projects.doors.hashers import NotingHasher  # noqa: E402
from tests.projects.story import PASSWORD  # noqa: E402
from tokens.database.background import forbid_threads  # noqa: E402
from tokens.limits.names import account_of  # noqa: E402
from tokens.models import Session, ThrottleCount  # noqa: E402
from tokens.testing import forget  # noqa: E402

TIMES = 40
HOME = "192.0.2.1"
# The counts drain while time passes, so it stands still.
NOW = datetime.now(UTC)
COST = 6_000_000  # microseconds: what one attempt costs under 10/min
LIMIT_BACKEND = "tokens.backends.SignInLimitBackend"
CLIENT_MIDDLEWARE = "tokens.api.middleware.ClientMiddleware"


def afresh() -> None:
    """Forget the attempts and sessions of the last story."""
    ThrottleCount.objects.all().delete()
    Session.objects.all().delete()
    NotingHasher.noted.clear()


def addresses() -> list[str]:
    return [f"198.51.100.{number}" for number in range(1, TIMES + 1)]


def names() -> list[str]:
    return [f"user-{number}" for number in range(TIMES)]


def in_turn(doors: Iterable[Door]) -> list[Door]:
    doors = list(doors)
    return [doors[number % len(doors)] for number in range(TIMES)]


def knocks(doors: Iterable[Door], users: Iterable[str], places: Iterable[str]) -> dict[str, Any]:
    """Try wrong passwords and then a right one; return how many were checked, and the answers."""
    afresh()
    answers = []
    for number, (door, user, place) in enumerate(zip(doors, users, places, strict=False)):
        client = Client(raise_request_exception=False)
        answer = door.knock(client, door.name_of(user), f"wrong-{number}", place)
        answers.append((door, answer))
    refused = [answer for _, answer in answers if answer.status_code == 429]
    last = door.knock(Client(raise_request_exception=False), door.name_of(user), PASSWORD, place)
    return {
        "checked": sum(password.startswith("wrong-") for password in NotingHasher.noted),
        "answered as wrong": sum(answer.status_code == door.wrong for door, answer in answers),
        "answered 429": len(refused),
        "without Retry-After": sum(int(answer.get("Retry-After", 0)) < 1 for answer in refused),
        "then a right one": last.status_code,
    }


def one_account(doors: Iterable[Door]) -> dict[str, Any]:
    return knocks(doors, ["ada"] * TIMES, addresses())


def one_address(doors: Iterable[Door]) -> dict[str, Any]:
    return knocks(doors, names(), [HOME] * TIMES)


def right_passwords(door: Door) -> dict[str, Any]:
    """Sign in as often, and look at the session of the last time."""
    afresh()
    statuses = []
    for _ in range(TIMES):
        client = Client()
        answer = door.knock(client, door.name_of("ada"), PASSWORD, HOME)
        statuses.append(answer.status_code)
    inner = [path for path in settings.AUTHENTICATION_BACKENDS if path != LIMIT_BACKEND]
    with override_settings(AUTHENTICATION_BACKENDS=inner):
        who = client.get("/who/").content.decode()
    return {
        "let in": statuses.count(door.right),
        "backend": client.session.get(BACKEND_SESSION_KEY, ""),
        "signed in without the backend of the limit": who,
    }


def costs(door: Door) -> dict[str, Any]:
    """Return how many attempts a wrong one, and a right one instead, adds to each count."""
    return {"wrong": cost(door, "wrong-0"), "right": cost(door, PASSWORD)}


def cost(door: Door, password: str) -> dict[str, float]:
    afresh()
    name = door.name_of("ada")
    door.knock(Client(raise_request_exception=False), name, password, HOME)
    now = int(NOW.timestamp() * 1_000_000)
    counts = ThrottleCount.objects.filter(caller__startswith="login ")
    return {
        caller.replace(account_of(name), "account"): round((clear_at - now) / COST, 2)
        for caller, clear_at in counts.values_list("caller", "clear_at")
    }


def at_each(doors: dict[str, Door], story: Callable[[Door], Any]) -> dict[str, Any]:
    return {name: story(door) for name, door in doors.items()}


def stories() -> dict[str, Any]:
    unreserved = [door for door in DOORS.values() if not door.reserved]
    by_username = [door for door in unreserved if door.by == "username"]
    told = {
        "one account": at_each(DOORS | FAILING, lambda door: one_account([door] * TIMES)),
        "one address": at_each(DOORS | FAILING, lambda door: one_address([door] * TIMES)),
        "right passwords": at_each(DOORS, right_passwords),
        "costs": at_each(DOORS, costs),
        "in turn": {
            "one account": one_account(in_turn(by_username)),
            "one account by two names": one_account(in_turn(unreserved)),
            "one address": one_address(in_turn(DOORS.values())),
        },
    }
    without = [path for path in settings.MIDDLEWARE if path != CLIENT_MIDDLEWARE]
    with override_settings(MIDDLEWARE=without):
        told["one account, no middleware"] = at_each(
            DOORS, lambda door: one_account([door] * TIMES)
        )
    return told


def main() -> None:
    # A test database is dropped only if no other thread has a connection.
    forbid_threads()
    setup_test_environment()
    databases = setup_databases(verbosity=0, interactive=False)
    try:
        for name in ("ada", *names()):
            get_user_model().objects.create_user(
                name, f"{name}@example.org", PASSWORD, is_staff=True
            )
        with mock.patch("tokens.clock.now", return_value=NOW):
            told = stories()
    finally:
        forget()
        teardown_databases(databases, verbosity=0)
    print(json.dumps(told))  # noqa: T201


main()

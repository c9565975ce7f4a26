"""Print the status of each step on a site whose replica is updated only by ``replicate``."""

import json
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Group  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections, router  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from tests.conftest import PASSWORD  # noqa: E402

NEW = "a rather different sentence"
api = APIClient()


def replicate() -> None:
    primary, replica = connections["default"], connections["replica"]
    for connection in (primary, replica):
        connection.ensure_connection()
    primary.connection.backup(replica.connection)


def sign_in(password: str = PASSWORD) -> Any:
    return api.post("/api/token/", {"username": "ada", "password": password})


def main() -> None:
    # Migrate without the routers: ReplicaRouter would migrate the replica too.
    chosen, router.routers = router.routers, []
    call_command("migrate", database="default", verbosity=0, skip_checks=True)
    router.routers = chosen
    user = get_user_model().objects.create_user("ada", "ada@example.org", PASSWORD)
    replicate()
    pair = sign_in().json()

    def who() -> Any:
        return api.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {pair['access']}")

    steps: dict[str, Callable[[], Any]] = {
        "a request right after the sign-in": who,
        "a refresh right after the sign-in": lambda: api.post("/api/token/refresh/", pair),
    }
    answers = {name: step().status_code for name, step in steps.items()}
    replicate()
    answers["a request later"] = who().status_code
    api.post("/api/token/revoke/", {"token": pair["refresh"]})
    answers["a request after it was revoked"] = who().status_code
    user.set_password(NEW)
    user.save(using="default")
    answers["a sign-in with the former password"] = sign_in().status_code
    answers["a sign-in with the new password"] = sign_in(NEW).status_code
    print(json.dumps({"answers": answers, "others": Group.objects.all().db}))  # noqa: T201
    connections.close_all()


main()

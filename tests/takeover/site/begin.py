"""
The former site: its users sign in over HTTP, and some tokens are blacklisted.

``python -m tests.takeover.site.begin USERS`` prints what each of them holds, as JSON.
"""

import json
import sys
from typing import Any

import django

PASSWORD = "secret"


def main(count: int) -> None:
    django.setup()
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    encoded = make_password(PASSWORD)
    User.objects.bulk_create(User(username=f"user{n:05}", password=encoded) for n in range(count))
    held: list[dict[str, Any]] = []
    client = Client()
    for n, name in enumerate(User.objects.order_by("pk").values_list("username", flat=True)):
        answer = client.post("/api/token/", {"username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.content
        pair = answer.json()
        state = "good"
        if n % 10 == 3:
            state = "blacklisted"
            done = client.post("/api/token/blacklist/", {"refresh": pair["refresh"]})
            assert done.status_code == 200, done.content
        elif n % 50 == 1:
            state = "inactive"
            User.objects.filter(username=name).update(is_active=False)
        elif n % 50 == 2:
            state = "deleted"
            User.objects.get(username=name).delete()
        held.append({"name": name, "state": state, **pair})
    print(json.dumps(held))  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""
Run a project with Django's own users, whose keys are integers, and with ``tokens`` listed first.

Prints the answers of its admin as JSON.
"""

import json
import sys

import django

django.setup()


def main() -> None:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django.core.management import call_command
    from django.test import Client
    from django.test.utils import setup_test_environment

    from tokens import sessions

    def page(name: str) -> str:
        return f"/manage/auth/user/{ada.pk}/{name}/"

    def found(query: dict[str, str]) -> int:
        return len(client.get("/manage/tokens/session/", query).context["cl"].result_list)

    setup_test_environment()
    call_command("migrate", verbosity=0)
    users = get_user_model().objects
    ada = users.create_user("ada", "ada@example.org")
    client = Client()
    client.force_login(users.create_superuser("grace"))
    sessions.start(ada)
    terms = ("ada", "ADA@example.org", "alan", "0" * 32, "192.0.2.1")
    answer = {
        "support": sorted(Group.objects.get().permissions.values_list("codename", flat=True)),
        "found": [found({"q": term}) for term in terms],
        "of_user": found({"user": str(ada.pk)}),
        "index": "Live sessions" in client.get("/manage/").content.decode(),
        "user": "Sign out everywhere" in client.get(page("change")).content.decode(),
        "signed_out": client.post(page("sign-out"), {"reason": "laptop stolen"}).status_code,
        "live": ada.token_sessions.filter(ended_at=None).count(),
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()

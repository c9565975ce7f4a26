"""Check, migrate, sign in, open a page, refresh, revoke, and be refused."""

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.checks import run_checks  # noqa: E402
from django.core.management import call_command  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

from tokens.database import compiled_sql  # noqa: E402
from tokens.sessions import locking  # noqa: E402

PASSWORD = "correct horse battery staple"


def main() -> None:
    call_command("check")
    call_command("migrate", verbosity=0)
    messages = run_checks(include_deployment_checks=True)
    assert not [str(message) for message in messages if "tokens." in str(message.id)]
    get_user_model().objects.create_user("ada", "ada@example.org", PASSWORD)
    client = APIClient()
    pair = client.post("/api/token/", {"username": "ada", "password": PASSWORD}).json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    page = client.get("/api/sessions/", HTTP_ACCEPT="text/html")
    assert page.status_code == 200
    assert "ada" in page.content.decode()
    assert client.get("/api/login/").status_code == 200
    assert client.get("/.well-known/jwks.json").json() == {"keys": []}
    pair = client.post("/api/token/refresh/", {"refresh": pair["refresh"]}).json()
    assert client.post("/api/token/revoke/", {"token": pair["refresh"]}).status_code == 200
    assert client.get("/api/sessions/").status_code == 401
    # The first user's key, 1, is a constant of that statement too.
    assert compiled_sql._compiled["default", locking._name()][1] is not None
    print("agreed")  # noqa: T201


main()

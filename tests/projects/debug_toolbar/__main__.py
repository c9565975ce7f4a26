"""Sign in, with a wrong and a right password, and use the session, while each query is recorded."""

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402

PASSWORD = "correct horse battery staple"


def main() -> None:
    call_command("migrate", verbosity=0)
    get_user_model().objects.create_user("ada", "ada@example.org", PASSWORD)
    right = {"username": "ada", "password": PASSWORD}
    client = APIClient()
    assert client.post("/api/token/", {**right, "password": "wrong"}).status_code == 401
    answer = client.post("/api/token/", right)
    assert answer.status_code == 200, answer.content
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
    assert client.get("/api/sessions/").status_code == 200
    answer = client.post("/api/token/refresh/", {"refresh": answer.json()["refresh"]})
    assert answer.status_code == 200, answer.content
    assert client.post("/api/logout/all/").status_code == 204
    browser = APIClient()
    assert browser.post("/api/login/", right, format="multipart").status_code == 302
    page = browser.get("/api/sessions/", HTTP_ACCEPT="text/html")
    assert page.status_code == 200
    assert "djDebug" in page.content.decode(), "The toolbar was not at work."
    print("agreed")  # noqa: T201


main()

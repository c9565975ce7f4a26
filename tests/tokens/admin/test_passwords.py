"""A stolen session of staff is no place to guess the password."""

from typing import Any

import pytest
from django.contrib.admin import AdminSite
from django.test import Client
from django.urls import path
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tokens import sessions
from tokens.admin.passwords import protect_passwords

pytestmark = pytest.mark.django_db

NEW = "a rather different sentence"


@pytest.fixture
def stolen(user: Any, settings: Any) -> Client:
    settings.TOKENS_ACCOUNT_THROTTLE = "3/hour"
    type(user).objects.update(is_staff=True)
    client = Client()
    client.force_login(user)
    return client


def guess(client: Client, password: str = "wrong", at: str = "/admin/password_change/") -> Any:
    body = {"old_password": password, "new_password1": NEW, "new_password2": NEW}
    return client.post(at, body)


def test_the_admins_page_is_limited_as_the_api_is(stolen: Client, user: Any) -> None:
    assert [guess(stolen).status_code for _ in range(5)] == [200] * 3 + [429] * 2
    answer = guess(stolen, PASSWORD)
    assert answer.status_code == 429
    assert 1100 <= int(answer["Retry-After"]) <= 1200
    assert b"Too many attempts" in answer.content
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {sessions.start(user).raw_access}")
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert api.post("/api/me/password/", body).status_code == 429


def test_strangers_who_guess_at_the_sign_in_prevent_no_password_change(
    stolen: Client, settings: Any
) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "3/hour"
    for number in range(4):
        body = {"username": "ada", "password": "wrong"}
        APIClient().post("/api/token/", body, REMOTE_ADDR=f"10.0.{number}.1")
    assert guess(stolen, PASSWORD).status_code == 302


def test_looking_at_the_page_is_free(stolen: Client) -> None:
    assert {stolen.get("/admin/password_change/").status_code for _ in range(9)} == {200}
    assert guess(Client()).status_code == 302  # to the sign-in


own_site = AdminSite("own")
protect_passwords(own_site)
protect_passwords(own_site)
urlpatterns = [path("own/", own_site.urls)]


def test_an_admin_site_of_the_projects_own_can_be_protected(stolen: Client, settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    at = "/own/password_change/"
    assert [guess(stolen, at=at).status_code for _ in range(4)] == [200] * 3 + [429]

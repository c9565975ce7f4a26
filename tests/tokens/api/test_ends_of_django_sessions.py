"""What ends a user's sessions ends Django's own too (case T21)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.tokens.api import django_site
from tests.tokens.api.django_site import NEW_PASSWORD, end_all, end_its_row, name_in, the_row
from tokens import keyring, sessions
from tokens.models import EndReason, Session, SessionKind
from tokens.operations import revocation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("django_site_urls")]


def deactivate_and_reactivate(user: Any) -> None:
    for active in (False, True):
        user.is_active = active
        user.save()


def change_password_back_and_forth(user: Any) -> None:
    old = user.password
    user.set_password(NEW_PASSWORD)
    user.save()
    user.password = old
    user.save()


@pytest.mark.parametrize(
    "end", [end_all, deactivate_and_reactivate, end_its_row, change_password_back_and_forth]
)
@pytest.mark.parametrize(
    "engine",
    ["django.contrib.sessions.backends.db", "django.contrib.sessions.backends.signed_cookies"],
)
def test_each_way_to_end_a_users_sessions_ends_it(
    user: Any, settings: Any, end: Callable[[Any], None], engine: str
) -> None:
    settings.SESSION_ENGINE = engine
    browser = Client()
    browser.get("/become/?name=ada")
    stolen = dict(browser.cookies)
    end(user)
    assert name_in(browser) == "nobody"
    thief = Client()
    thief.cookies.update(stolen)
    assert name_in(thief) == "nobody"
    browser.get("/become/?name=ada")
    assert name_in(browser) == "ada"


def test_a_user_sees_and_ends_it_over_the_api(browser: Client, user: Any) -> None:
    api = APIClient(HTTP_AUTHORIZATION=f"Bearer {sessions.start(user).raw_access}")
    listed = {entry["kind"]: entry for entry in api.get("/api/sessions/").json()["results"]}
    assert set(listed) == {"pair", "django"}
    assert listed["django"]["device"] == "Firefox on Linux"
    assert api.delete(f"/api/sessions/{listed['django']['id']}/").status_code == 204
    assert name_in(browser) == "nobody"


def test_signing_out_ends_its_row(browser: Client, settings: Any) -> None:
    settings.ROOT_URLCONF = "config.urls"
    get_user_model().objects.update(is_staff=True)
    browser.post(reverse("admin:logout"))
    row = the_row()
    assert (row.end_reason, row.ended_ip_address) == (EndReason.LOGOUT, "127.0.0.1")


def test_signing_in_as_another_user_ends_the_first_row(browser: Client, user: Any) -> None:
    get_user_model().objects.create_user("bob")
    browser.get("/who/")
    Client().get("/become/?name=bob")
    assert the_row_of("ada").ended_at is None
    browser.get("/who-async/")
    browser.get("/become/?name=bob")
    assert name_in(browser) == "bob"


def the_row_of(name: str) -> Session:
    return Session.objects.get(user__username=name, kind=SessionKind.DJANGO)


def test_a_password_change_ends_all_but_the_session_that_django_keeps(
    browser: Client, user: Any
) -> None:
    other = Client()
    other.get("/become/?name=ada")
    browser.get("/password/?keep")
    assert name_in(other) == "nobody"
    assert name_in(browser) == "ada"
    live = Session.objects.filter(ended_at=None)
    assert live.count() == 1
    end_all(user)
    assert name_in(browser) == "nobody"


def test_a_password_change_that_keeps_nothing_ends_it(browser: Client) -> None:
    browser.get("/password/")
    assert name_in(browser) == "nobody"


def test_a_session_whose_row_was_deleted_is_over(browser: Client) -> None:
    """Rows are deleted some time after their end."""
    Session.objects.all().delete()
    assert name_in(browser) == "nobody"


def test_staff_sees_it_and_signs_it_out_everywhere(browser: Client, settings: Any) -> None:
    settings.ROOT_URLCONF = "config.urls"
    admin = get_user_model().objects.create_superuser("root", "root@example.org", PASSWORD)
    staff = Client()
    staff.force_login(admin)
    ada = get_user_model().objects.get(username="ada")
    page = staff.get(reverse("admin:tokens_session_changelist")).content.decode()
    assert "Firefox on Linux (Django session)" in page
    sign_out = reverse("admin:accounts_user_sign_out", args=[ada.pk])
    answer = staff.post(sign_out, {"reason": "cookie stolen"}, follow=True)
    assert "1 session revoked" in answer.content.decode()
    settings.ROOT_URLCONF = django_site.__name__
    assert name_in(browser) == "nobody"


def test_a_revoked_key_takes_no_session_of_django_with_it(browser: Client, user: Any) -> None:
    sessions.start(user)
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))
    assert Session.objects.all().with_tokens().get().kind == SessionKind.PAIR
    assert name_in(browser) == "ada"


def test_a_cut_off_ends_it_and_the_next_one_is_good(browser: Client) -> None:
    revocation.carry_out(revocation.everything(), note="leak")
    assert name_in(browser) == "nobody"
    browser.get("/become/?name=ada")
    assert name_in(browser) == "ada"

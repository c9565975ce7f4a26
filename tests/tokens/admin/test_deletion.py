"""Before users are deleted, their sessions are counted and not read."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from tests.tokens.admin.conftest import statements
from tokens import sessions
from tokens.admin import deletion, users
from tokens.models import EndReason, Session

USERS = "/admin/accounts/user/"


def delete_page(client: Client, user: Any) -> str:
    return str(client.get(f"{USERS}{user.pk}/delete/").content.decode())


def test_the_page_counts_the_sessions_of_a_user(admin_client: Client, user: Any) -> None:
    for _ in range(3):
        sessions.start(user)
    page = delete_page(admin_client, user)
    assert "3 sessions" in page
    assert "Session: " not in page
    sessions.end(list(Session.objects.all()[:2]), reason=EndReason.LOGOUT)
    Session.objects.exclude(ended_at=None).delete()
    assert "<li>1 session</li>" in delete_page(admin_client, user)


def test_the_page_costs_the_same_with_many_sessions(
    admin_client: Client, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions.start(user)
    delete_page(admin_client, user)  # The first request also pays for what Django caches.
    few = statements(lambda: admin_client.get(f"{USERS}{user.pk}/delete/"))
    for _ in range(50):
        sessions.start(user)
    many = statements(lambda: admin_client.get(f"{USERS}{user.pk}/delete/"))
    assert len(many) == len(few)
    of_sessions = [sql for sql in many if 'FROM "tokens_session"' in sql]
    assert of_sessions
    assert all("COUNT(*)" in sql and "LIMIT" in sql for sql in of_sessions)
    monkeypatch.setattr(deletion, "WINDOW", 20)
    assert "at least 20 sessions" in delete_page(admin_client, user)


def test_selected_users_are_counted_together(
    admin_client: Client, user: Any, django_user_model: Any
) -> None:
    other = django_user_model.objects.create_user("alan")
    for who in (user, user, other):
        sessions.start(who)
    chosen = {"action": "delete_selected", "_selected_action": [str(user.pk), str(other.pk)]}
    page = admin_client.post(USERS, chosen).content.decode()
    assert "Sessions: 3 sessions" in page
    admin_client.post(USERS, {**chosen, "post": "yes"})
    assert not Session.objects.exists()


def test_a_user_without_sessions_has_none_on_the_page(admin_client: Client, user: Any) -> None:
    assert "session" not in delete_page(admin_client, user).partition("Summary")[2].lower()


def ask(objects: Any, reader: Any) -> Any:
    request = RequestFactory().get("/")
    request.user = reader
    request.resolver_match = None
    return admin.site.get_model_admin(get_user_model()).get_deleted_objects(objects, request)


def test_it_says_what_djangos_own_method_says_of_all_else(
    user: Any, admin_user: Any, grace: Any
) -> None:
    LogEntry.objects.log_actions(grace.pk, [user], 2, "Changed.", single_object=True)
    mine = ask([grace, user], admin_user)
    request = RequestFactory().get("/")
    request.user = admin_user
    plain = admin.ModelAdmin(get_user_model(), admin.site)
    assert mine == plain.get_deleted_objects([grace, user], request)
    assert ask([], admin_user) == ([], {}, set(), [])


def test_what_may_not_be_deleted_is_named(user: Any, grace: Any, permit: Any) -> None:
    permit("accounts.view_user")
    _lines, _counts, lacking, _protected = ask([user], grace)
    assert lacking == {"user"}


def test_a_user_that_the_site_has_no_page_for_is_named_without_a_link(
    user: Any, admin_user: Any
) -> None:
    site = admin.AdminSite(name="elsewhere")  # has no route
    site.register(get_user_model(), UserAdmin)
    users.extend(site)
    request = RequestFactory().get("/")
    request.user = admin_user
    lines = site.get_model_admin(get_user_model()).get_deleted_objects([user], request)[0]
    assert lines == ["User: ada"]


def test_a_plain_admin_of_users_is_extended_too(user: Any, admin_user: Any) -> None:
    site = admin.AdminSite(name="elsewhere")
    site.register(get_user_model())
    users.extend(site)
    sessions.start(user)
    request = RequestFactory().get("/")
    request.user = admin_user
    with CaptureQueriesContext(connection) as captured:
        found = site.get_model_admin(get_user_model()).get_deleted_objects([user], request)
    assert "1 session" in found[0]
    assert len(captured) < 20

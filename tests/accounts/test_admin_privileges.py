"""Staff who are no superusers gain no right in the admin of users that they did not have."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.admin import PRIVILEGES
from tests.conftest import PASSWORD

USERS = "/admin/accounts/user/"
NEW_PASSWORD = "a rather different sentence"
ALL = ("view_user", "add_user", "change_user", "delete_user")


def permission(codename: str) -> Permission:
    return Permission.objects.get(codename=codename)


@pytest.fixture
def grace(django_user_model: Any) -> Any:
    """Return a member of staff who has every permission for users and no other."""
    grace = django_user_model.objects.create_user(
        "grace", "grace@example.org", PASSWORD, is_staff=True
    )
    grace.user_permissions.set(map(permission, ALL))
    return grace


@pytest.fixture
def staff(grace: Any) -> Client:
    client = Client()
    client.force_login(grace)
    return client


def with_permission(user: Any) -> None:
    user.user_permissions.add(permission("revoke_session"))


def with_group(user: Any) -> None:
    group = Group.objects.create(name="keepers of the keys")
    group.permissions.add(permission("rotate_signingkey"))
    user.groups.add(group)


def as_superuser(user: Any) -> None:
    user.is_superuser = True
    user.save()


def as_inactive_superuser(user: Any) -> None:
    user.is_superuser, user.is_active = True, False
    user.save()


def inactive_with_permission(user: Any) -> None:
    """It is active again after one click, with the password that was set before."""
    with_permission(user)
    user.is_active = False
    user.save()


ABOVE = [with_permission, with_group, as_superuser, as_inactive_superuser, inactive_with_permission]


def page(user: Any, name: str = "change") -> str:
    return f"{USERS}{user.pk}/{name}/"


def fields(user: Any, **changes: Any) -> dict[str, Any]:
    """Return what a browser sends from the page of ``user``, with these changes."""
    return {
        "username": user.username,
        "email": user.email,
        "is_active": "on",
        "date_joined_0": f"{user.date_joined:%Y-%m-%d}",
        "date_joined_1": f"{user.date_joined:%H:%M:%S}",
        "token_sessions-TOTAL_FORMS": 0,
        "token_sessions-INITIAL_FORMS": 0,
        "_save": "Save",
        **changes,
    }


def password_form() -> dict[str, str]:
    return {"usable_password": "true", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}


def deletion(*users: Any, **more: str) -> dict[str, Any]:
    keys = [str(user.pk) for user in users]
    return {"action": "delete_selected", "_selected_action": keys, **more}


@pytest.mark.parametrize("rise", ABOVE)
def test_who_has_more_rights_cannot_be_changed(staff: Client, user: Any, rise: Any) -> None:
    rise(user)
    assert staff.post(page(user), fields(user, email="grace@evil.example")).status_code == 403
    user.refresh_from_db()
    assert user.email == "ada@example.org"


@pytest.mark.parametrize("rise", ABOVE)
def test_who_has_more_rights_keeps_their_password(staff: Client, user: Any, rise: Any) -> None:
    rise(user)
    assert staff.get(page(user, "password")).status_code == 403
    assert staff.post(page(user, "password"), password_form()).status_code == 403
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize("rise", ABOVE)
def test_who_has_more_rights_cannot_be_deleted(
    staff: Client, user: Any, rise: Any, django_user_model: Any
) -> None:
    rise(user)
    bob = django_user_model.objects.create_user("bob")
    assert staff.get(page(user, "delete")).status_code == 403
    assert staff.post(page(user, "delete"), {"post": "yes"}).status_code == 403
    asked = staff.post(USERS, deletion(user, bob))
    assert asked.context["perms_lacking"] == {"user"}
    assert staff.post(USERS, deletion(user, bob, post="yes")).status_code == 403
    everybody = deletion(bob, post="yes", select_across="1")
    assert staff.post(USERS, everybody).status_code == 403
    assert django_user_model.objects.filter(username__in=["ada", "bob"]).count() == 2


@pytest.mark.parametrize("rise", ABOVE)
def test_who_has_more_rights_can_be_looked_at(staff: Client, user: Any, rise: Any) -> None:
    rise(user)
    shown = staff.get(page(user))
    assert shown.status_code == 200
    assert 'name="_save"' not in shown.content.decode()
    assert user.password not in shown.content.decode()
    assert staff.get(page(user, "history")).status_code == 200
    assert "ada" in staff.get(USERS).content.decode()


def test_whose_rights_one_has_can_be_changed_and_deleted(
    staff: Client, user: Any, django_user_model: Any
) -> None:
    user.user_permissions.set(map(permission, ALL))
    sent = fields(user, email="ada@example.net")
    assert staff.post(page(user), sent).status_code == 302
    assert staff.post(page(user, "password"), password_form()).status_code == 302
    user.refresh_from_db()
    assert user.email == "ada@example.net"
    assert user.check_password(NEW_PASSWORD)
    assert staff.post(page(user, "delete"), {"post": "yes"}).status_code == 302
    bob = django_user_model.objects.create_user("bob")
    assert staff.post(USERS, deletion(bob, post="yes")).status_code == 302
    assert django_user_model.objects.get().username == "grace"


def forged() -> dict[str, Any]:
    group = Group.objects.get_or_create(name="keepers of the keys")[0]
    return {
        "is_staff": "on",
        "is_superuser": "on",
        "groups": [group.pk],
        "user_permissions": [permission("rotate_signingkey").pk],
    }


def rights(user: Any) -> tuple[Any, ...]:
    user.refresh_from_db()
    lists = (user.groups.count(), user.user_permissions.count())
    return (user.is_staff, user.is_superuser, *lists)


@pytest.mark.parametrize("own", [True, False])
def test_a_forged_form_hands_out_no_right(staff: Client, grace: Any, user: Any, own: bool) -> None:
    target = grace if own else user
    before = rights(target)
    assert staff.post(page(target), fields(target, **forged())).status_code == 302
    assert rights(target) == before


def test_a_new_user_has_no_right_either(staff: Client, django_user_model: Any) -> None:
    sent = {"username": "eve", "email": "eve@example.org", **password_form(), **forged()}
    assert staff.post(f"{USERS}add/", sent).status_code == 302
    eve = django_user_model.objects.get(username="eve")
    assert eve.check_password(NEW_PASSWORD)
    assert rights(eve) == (False, False, 0, 0)


def test_the_form_for_a_new_user_offers_no_right_in_a_project_that_adds_the_fields(
    staff: Client, django_user_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("username", "email", "usable_password", "password1", "password2", *PRIVILEGES)
    monkeypatch.setattr("accounts.admin.UserAdmin.add_fieldsets", ((None, {"fields": names}),))
    sent = {"username": "eve", "email": "eve@example.org", **password_form(), **forged()}
    assert staff.post(f"{USERS}add/", sent).status_code == 302
    assert rights(django_user_model.objects.get(username="eve")) == (False, False, 0, 0)


def test_a_superuser_changes_every_user_and_hands_out_every_right(
    admin_client: Client, admin_user: Any, user: Any
) -> None:
    sent = fields(user, **forged())
    assert admin_client.post(page(user), sent).status_code == 302
    assert rights(user) == (True, True, 1, 1)
    assert admin_client.post(page(user, "password"), password_form()).status_code == 302
    assert admin_client.post(page(user, "delete"), {"post": "yes"}).status_code == 302


def count(client: Client, *, selected: Any = None) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = client.post(USERS, deletion(*selected)) if selected else client.get(USERS)
    assert answer.status_code == 200
    return len(captured)


def test_neither_the_list_nor_a_selection_costs_queries_per_user(
    staff: Client, django_user_model: Any
) -> None:
    first = [django_user_model.objects.create_user("bob")]
    staff.get(USERS)
    few = (count(staff), count(staff, selected=first))
    more = first + [django_user_model.objects.create_user(f"bob-{n}") for n in range(20)]
    assert (count(staff), count(staff, selected=more)) == few

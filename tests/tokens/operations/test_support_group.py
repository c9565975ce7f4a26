"""The group "Support" is created with the app's tables, and is never restored or changed later."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import router

from tokens.operations import support_group

pytestmark = pytest.mark.django_db

WANTED = {
    "tokens.view_session",
    "tokens.revoke_session",
    "tokens.view_deniedtoken",
    "tokens.deny_token",
    "accounts.view_user",
}


def plan(app_label: str = "tokens", *, initial: bool = True, backwards: bool = False) -> list[Any]:
    return [(SimpleNamespace(app_label=app_label, initial=initial), backwards)]


def permissions() -> set[str]:
    rows = Group.objects.get(name="Support").permissions.all()
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


def test_it_is_created_with_its_migration_and_can_do_its_work() -> None:
    Group.objects.all().delete()
    assert support_group.create_group(using="default", plan=plan())
    assert permissions() == WANTED


def test_it_is_created_although_no_permission_is_there_yet() -> None:
    Group.objects.all().delete()
    Permission.objects.all().delete()
    assert support_group.create_group(using="default", plan=plan())
    assert permissions() == WANTED


def test_an_emptied_database_gets_it_again() -> None:
    Group.objects.all().delete()
    assert support_group.create_group(using="default")


def test_a_database_without_groups_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = SimpleNamespace(allow_migrate=lambda db, *args, **hints: db == "default")
    monkeypatch.setattr(router, "routers", [elsewhere])
    assert not support_group.create_group(using="statistics", plan=plan())


def test_a_removed_group_stays_removed() -> None:
    Group.objects.all().delete()
    assert not support_group.create_group(using="default", plan=plan(initial=False))
    assert not support_group.create_group(using="default", plan=plan(backwards=True))
    call_command("migrate", verbosity=0)
    assert not Group.objects.exists()


def test_a_group_that_was_changed_stays_as_it_is() -> None:
    group, _ = Group.objects.get_or_create(name="Support")
    group.permissions.clear()
    assert not support_group.create_group(using="default", plan=plan())
    assert permissions() == set()


def test_another_apps_first_migration_creates_nothing() -> None:
    Group.objects.all().delete()
    assert not support_group.create_group(using="default", plan=plan("blog"))

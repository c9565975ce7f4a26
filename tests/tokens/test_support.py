"""The «Support» group is there when it is first wanted, and is its owners' from then on."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection, router
from django.db.migrations.loader import MigrationLoader

from tokens.operations import support_group

pytestmark = pytest.mark.django_db

WANTED = {
    "tokens.view_session",
    "tokens.revoke_session",
    "tokens.view_deniedtoken",
    "tokens.deny_token",
    "accounts.view_user",
}


def plan(*names: tuple[str, str], backwards: bool = False) -> list[Any]:
    return [(SimpleNamespace(app_label=app, name=name), backwards) for app, name in names]


def permissions() -> set[str]:
    rows = Group.objects.get(name="Support").permissions.all()
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


def test_it_is_created_with_its_migration_and_can_do_its_work() -> None:
    Group.objects.all().delete()
    assert support_group.create_group(using="default", plan=plan(support_group.CREATED_WITH))
    assert permissions() == WANTED


def test_it_is_created_although_no_permission_is_there_yet() -> None:
    Group.objects.all().delete()
    Permission.objects.all().delete()
    assert support_group.create_group(using="default", plan=plan(support_group.CREATED_WITH))
    assert permissions() == WANTED


def test_an_emptied_database_gets_it_again() -> None:
    Group.objects.all().delete()
    assert support_group.create_group(using="default")


def test_a_database_without_groups_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = SimpleNamespace(allow_migrate=lambda db, *args, **hints: db == "default")
    monkeypatch.setattr(router, "routers", [elsewhere])
    assert not support_group.create_group(using="statistics", plan=plan(support_group.CREATED_WITH))


def test_a_removed_group_stays_removed() -> None:
    Group.objects.all().delete()
    assert not support_group.create_group(using="default", plan=plan(("tokens", "0001_initial")))
    assert not support_group.create_group(
        using="default", plan=plan(support_group.CREATED_WITH, backwards=True)
    )
    call_command("migrate", verbosity=0)
    assert not Group.objects.exists()


def test_a_group_that_somebody_has_changed_stays_as_it_is() -> None:
    group, _ = Group.objects.get_or_create(name="Support")
    group.permissions.clear()
    assert not support_group.create_group(using="default", plan=plan(support_group.CREATED_WITH))
    assert permissions() == set()


def test_the_migration_that_it_comes_with_exists() -> None:
    assert support_group.CREATED_WITH in MigrationLoader(connection).disk_migrations

"""The group "Support": staff who manage sessions. It is created with the tables of this app."""

from typing import Any

from django.apps import apps as installed
from django.contrib.auth import get_user_model
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import router
from django.db.models import Q

from ..models import DeniedToken, Session

NAME = "Support"


def create_group(*, using: str, plan: Any = None, **kwargs: Any) -> bool:
    """
    Create the group with its permissions, and return whether this call created it.

    It is created once: with the tables of this app, or after ``flush``, which sends no plan. So a
    group that was changed, renamed or deleted is not restored.
    """
    if not router.allow_migrate_model(using, Group):
        return False
    if plan is not None and not any(
        migration.app_label == Session._meta.app_label and migration.initial and not backwards
        for migration, backwards in plan
    ):
        return False
    group, created = Group.objects.using(using).get_or_create(name=NAME)
    if created:
        # Not group.permissions, for which a router may name the database of another tenant.
        through: Any = Group.permissions.through
        through.objects.using(using).bulk_create(
            through(group_id=group.pk, permission_id=permission.pk)
            for permission in _permissions(using)
        )
    return created


def before_loading(instance: Group, using: str, *, raw: bool = False, **kwargs: Any) -> None:
    """
    Delete the group that ``migrate`` has created, if ``loaddata`` brings it with another key.

    Only before there are sessions, so that no group is deleted that staff have joined since.
    """
    if raw and instance.name == NAME and not Session.objects.using(using).exists():
        Group.objects.using(using).filter(name=NAME).exclude(pk=instance.pk).delete()


def _permissions(using: str) -> Any:
    user_model: Any = get_user_model()
    # Django creates permissions after a migration too, one app after the other. Those of these
    # apps may not exist yet.
    for model in (Session, user_model):
        create_permissions(
            installed.get_app_config(model._meta.app_label), verbosity=0, using=using
        )
    wanted = Q()
    for model, codenames in (
        (Session, ["view_session", "revoke_session"]),
        (DeniedToken, ["view_deniedtoken", "deny_token"]),
        (user_model, [f"view_{user_model._meta.model_name}"]),
    ):
        wanted |= Q(
            content_type__app_label=model._meta.app_label,
            content_type__model=model._meta.model_name,
            codename__in=codenames,
        )
    return Permission.objects.using(using).filter(wanted)

"""Create the first signing keys after the migration that creates their table, or take a dump's."""

from typing import Any

from django.db import router

from ..models import Session, SigningKey
from . import ring
from .rotation import ensure


def after_migrate(sender: Any, using: str, apps: Any = None, **kwargs: Any) -> None:
    """
    Create the first signing keys if there are none, wherever their table is.

    It is not where a router keeps it out, as django-tenants does from the schema of the other apps.
    ``apps`` has the models after the migrations, and SigningKey is not one of them after
    ``migrate tokens zero``. It is None after ``flush``.
    """
    if not router.allow_migrate_model(using, SigningKey):
        return
    if apps is None or SigningKey._meta.model_name in apps.all_models[SigningKey._meta.app_label]:
        ensure(using=using)


def before_loading(instance: SigningKey, using: str, *, raw: bool = False, **kwargs: Any) -> None:
    """
    Delete the key in whose place ``loaddata`` puts one, if it has signed nothing yet.

    ``migrate`` has created it, and only one key can sign. A dump has the keys before the sessions,
    so a session that is there already was started with the key that would be deleted: then
    ``loaddata`` fails instead.
    """
    if not raw or Session.objects.using(using).exists():
        return
    rows = SigningKey.objects.using(using)
    unused = rows.filter(state__in=[SigningKey.State.SIGNING, SigningKey.State.NEXT])
    unused.filter(state=instance.state).exclude(pk=instance.pk).delete()
    ring.forget()  # It has the deleted key, and would go on signing with it.

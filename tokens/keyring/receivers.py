"""Create the first signing keys after the migration that creates their table."""

from typing import Any

from django.db import router

from ..models import SigningKey
from .rotation import ensure


def after_migrate(sender: Any, using: str, apps: Any = None, **kwargs: Any) -> None:
    """
    Create the first signing keys if there are none.

    ``apps`` has the models after the migrations, and SigningKey is not one of them after
    ``migrate tokens zero``. It is None after ``flush``.
    """
    if using != router.db_for_write(SigningKey):
        return
    if apps is None or SigningKey._meta.model_name in apps.all_models[SigningKey._meta.app_label]:
        ensure()

"""The first signing keys are created with the table that holds them."""

from typing import Any

from django.db import router

from ..models import SigningKey
from .rotation import ensure


def after_migrate(sender: Any, using: str, apps: Any = None, **kwargs: Any) -> None:
    """
    Create the first signing keys.

    ``apps`` holds the models as the migrations left them, without ours after ``migrate tokens zero``.
    It is None where a database was emptied.
    """
    if using != router.db_for_write(SigningKey):
        return
    if apps is None or SigningKey._meta.model_name in apps.all_models[SigningKey._meta.app_label]:
        ensure()

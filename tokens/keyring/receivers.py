"""The first signing keys are created with the table that holds them."""

from typing import Any

from django.apps import apps as installed
from django.db import router

from ..models import SigningKey
from .rotation import ensure


def after_migrate(sender: Any, using: str, apps: Any = None, **kwargs: Any) -> None:
    """
    Create the first signing keys with the table that holds them.

    ``apps`` are the models as the migrations left them, None where a database was emptied.
    """
    if using != router.db_for_write(SigningKey):
        return
    if apps is None or _columns(apps) == _columns(installed):
        ensure()


def _columns(apps: Any) -> set[str]:
    """Return the columns of the keys' table; none after ``migrate tokens zero``."""
    try:
        return {field.column for field in apps.get_model("tokens", "SigningKey")._meta.fields}
    except LookupError:
        return set()

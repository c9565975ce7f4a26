"""A database router for projects that read from replicas."""

from functools import cached_property
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import router


class PrimaryRouter:
    """
    Read this app's models and the users from the database that they are written to.

    A replica with a lag of one second would accept a token for a second after it was revoked, and
    refuse one that was issued in this second, or a new password. List this router before the one
    that sends reads to the replicas, which still decides for all other models.
    """

    @cached_property
    def app_labels(self) -> frozenset[str]:
        """The labels of this app, which a project may have changed, and of those that are within it."""
        app = __name__.removesuffix(".routers")
        configs = apps.get_app_configs()
        return frozenset(one.label for one in configs if f"{one.name}.".startswith(f"{app}."))

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        if model._meta.app_label in self.app_labels or _is_user_model(model):
            return router.db_for_write(model, **hints)
        return None


def _is_user_model(model: Any) -> bool:
    """Return whether ``model`` is the user model, a proxy of it, or a parent of it."""
    user: Any = get_user_model()
    return issubclass(user._meta.concrete_model, model._meta.concrete_model)

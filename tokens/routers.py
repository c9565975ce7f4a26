"""A database router for those who read from replicas."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import router

APP = __package__


class PrimaryRouter:
    """
    Sessions, denials, keys, limits and users are read where they are written.

    A replica that is a second behind accepts a token a second after it was revoked, refuses one that
    was issued in this second, and takes the former password. List it before the router
    that sends reads to the replicas, and that one goes on answering for everything else.
    """

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        if model._meta.app_label == APP or _is_of_users(model):
            return router.db_for_write(model, **hints)
        return None


def _is_of_users(model: Any) -> bool:
    """Tell whether rows of ``model`` are users, a proxy's or a parent's included."""
    user: Any = get_user_model()
    return issubclass(user._meta.concrete_model, model._meta.concrete_model)

"""
Who may come in: Django's rule and the project's, in one place.

It is asked at sign-in, at each request and at each refresh.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef

from ..conf import conf
from ..errors import UserGone, UserInactive


def require_eligible(user: Any) -> None:
    """Raise UserInactive unless the user is active and TOKENS_USER_RULE lets them in."""
    if not user.is_active:
        raise UserInactive(f"User {user.pk} is not active.")
    rule = conf.TOKENS_USER_RULE
    if rule is not None and not rule(user):
        raise UserInactive(f"TOKENS_USER_RULE does not let user {user.pk} in.")


def is_visible() -> Exists | None:
    """
    Return whether Django would find the session's user, as a condition on sessions.

    Django loads users by the default manager, which may hide some, such as the deleted ones. None
    for a manager that hides nobody.
    """
    users: Any = get_user_model()._default_manager.all()
    return Exists(users.filter(pk=OuterRef("user_id"))) if users.query.where else None


def needs_user() -> bool:
    """Return whether only a loaded user can be judged, by TOKENS_USER_RULE or the default manager."""
    return conf.TOKENS_USER_RULE is not None or is_visible() is not None


def lock(user: Any) -> Any:
    """
    Return the user as the database has them now, locked until the transaction ends.

    Whoever changes the password or deactivates the user waits, or has been first. Raises UserGone.
    """
    model = get_user_model()
    try:
        return model._default_manager.select_for_update(of=("self",)).get(pk=user.pk)
    except model.DoesNotExist:
        raise UserGone(f"User {user.pk} no longer exists.") from None

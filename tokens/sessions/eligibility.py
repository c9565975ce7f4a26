"""
Who may come in: Django's rule and the project's, in one place.

It is asked at sign-in, at each request and at each refresh.
"""

from functools import cache
from inspect import getattr_static
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Exists, OuterRef
from django.db.models.manager import BaseManager
from django.db.models.query_utils import DeferredAttribute

from ..conf import conf
from ..errors import UserGone, UserInactive
from ..models import Session, fetch_uncached, locked


def require_eligible(user: Any) -> None:
    """Raise UserInactive unless the user is active and TOKENS_USER_RULE lets them in."""
    if not user.is_active:
        raise UserInactive(f"User {user.pk} is not active.")
    rule = conf.TOKENS_USER_RULE
    if rule is not None and not rule(user):
        raise UserInactive(f"TOKENS_USER_RULE does not let user {user.pk} in.")


def hides_users() -> bool:
    """
    Return whether the default manager of the user model may hide users, such as deleted ones.

    Django loads users by this manager. Which users it hides may differ from one call to the next.
    """
    return type(_users()).get_queryset is not BaseManager.get_queryset


def is_visible() -> Exists:
    """Return whether Django would find the session's user, as a condition on sessions."""
    return Exists(_users().filter(pk=OuterRef("user_id")))


def users_query() -> str:
    """Return the SQL by which the default manager finds users now, with its values."""
    try:
        return str(_users().order_by().values("pk").query)
    except EmptyResultSet:
        return "none"


def needs_user() -> bool:
    """Return whether only a loaded user can be judged, by TOKENS_USER_RULE or the default manager."""
    return conf.TOKENS_USER_RULE is not None or hides_users()


def depends_on_columns_only() -> bool:
    """Return whether the columns of a user, and nothing else, say whether they may come in."""
    columns = {field.attname for field in _users().model._meta.concrete_fields}
    is_column = "is_active" in columns and isinstance(
        getattr_static(_users().model, "is_active"), DeferredAttribute
    )
    return conf.TOKENS_USER_RULE is None and is_column


def lock(user: Any) -> Any:
    """
    Return the user as the database has them now, locked until the transaction ends.

    A change of the password or of is_active waits, or has come first. Raises UserGone.
    """
    found = fetch_uncached(locked_row(user.pk))
    if not found:
        raise UserGone(f"User {user.pk} no longer exists.")
    return found[0]


def locked_row(pk: Any) -> Any:
    """Return the query for the row of a user, which it locks until the transaction ends."""
    users = _users()
    # The row of a parent model has the password of a user model that inherits from another.
    links = [link.name for link in users.model._meta.parents.values() if link]
    return locked(users.filter(pk=pk), of=("self", *links))


def _users() -> Any:
    return _user_model()._default_manager


@cache
def _user_model() -> Any:
    return Session._meta.get_field("user").related_model

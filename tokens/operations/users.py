"""Find users by what a person types."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.functions import Lower

from ..models import username_from

# In some projects several users have the same email address.
MAX_USERS = 100


def find_users(term: str) -> list[Any]:
    """
    Return the keys of the users with exactly this username or, ignoring case, email address.

    The email address is looked up by ``Lower("email")``. A project needs an index on that.
    """
    user_model = get_user_model()
    users = user_model._default_manager
    name = username_from(term)
    by_name = users.none() if name is None else users.filter(**{user_model.USERNAME_FIELD: name})
    email = user_model.get_email_field_name()
    ids = list(by_name.values_list("pk", flat=True)[:MAX_USERS])
    if "@" in term and _has_field(user_model, email):
        # Without this condition the planner could not use an index that omits empty addresses.
        by_email = users.alias(lowered=Lower(email)).filter(lowered=term.lower())
        ids += by_email.exclude(**{email: ""}).values_list("pk", flat=True)[:MAX_USERS]
    return ids


def _has_field(model: Any, name: str) -> bool:
    return any(field.name == name for field in model._meta.concrete_fields)

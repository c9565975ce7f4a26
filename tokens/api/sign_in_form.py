"""The form to sign in, on its own page and on pages that require a signed-in user."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model
from rest_framework.exceptions import APIException
from rest_framework.request import Request


def sign_in_form(request: Request, *, next: str, errors: Mapping[str, Any]) -> dict[str, Any]:
    """Return the context of the form; ``next`` is the path to which it leads."""
    user_model = get_user_model()
    name = user_model.USERNAME_FIELD
    field: Any = user_model._meta.get_field(name)
    return {
        "username_field": name,
        "username_label": field.verbose_name,
        "username": form_data(request).get(name, ""),
        "next": next,
        "error": errors.get("detail", ""),
        "username_errors": errors.get(name, []),
        "password_errors": errors.get("password", []),
    }


def form_data(request: Request) -> Mapping[str, str]:
    try:
        return request.POST
    except APIException:
        return {}  # The body cannot be parsed. The view's own answer reports that.

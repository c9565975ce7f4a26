from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest


class EmailBackend(ModelBackend):
    """A backend as many projects have it: it takes an email address and a password."""

    def authenticate(  # type: ignore[override]
        self, request: HttpRequest | None, email: str, password: str
    ) -> Any:
        users = get_user_model()._default_manager
        user: Any = users.filter(email__iexact=email).first()
        if user is None:
            get_user_model()().set_password(password)
            return None
        return user if user.check_password(password) else None

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

CODE = "424242"


class CodeBackend(BaseBackend):
    """Signs in the only user by a code that was sent to them, without a name."""

    def authenticate(self, request: HttpRequest | None, code: str | None = None) -> Any:  # type: ignore[override]
        return get_user_model()._default_manager.get() if code == CODE else None

"""DRF throttles for views that ask for a password again."""

from datetime import timedelta
from typing import Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from ..errors import TooManyAttempts
from ..limits import passwords


class PasswordThrottle(BaseThrottle):
    """
    Allow TOKENS_ACCOUNT_THROTTLE passwords per signed-in user.

    It applies to views whose ``throttle_scope`` is ``password``. They ask for the password again,
    which an attacker who uses the session could otherwise guess.
    """

    _wait = timedelta(0)

    def allow_request(self, request: Request, view: Any) -> bool:
        asks_password = getattr(view, "throttle_scope", None) == "password"
        if not asks_password or request.method in SAFE_METHODS:
            return True
        try:
            passwords.take(request.user)
        except TooManyAttempts as error:
            self._wait = error.wait
            return False
        return True

    def wait(self) -> float:
        return self._wait.total_seconds()

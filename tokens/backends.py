"""The authentication backend that limits attempts to sign in, wherever they come from."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from .errors import TooManyAtOnce, TooManyAttempts
from .limits import sign_in
from .secret import Secret

# The credentials of RemoteUserBackend. The proxy in front has authenticated the user, at every request,
# so there is nothing to guess.
NOT_GUESSED = {"remote_user"}


class SignInLimitBackend(BaseBackend):
    """
    Let the other backends check the credentials, within the limits on sign-ins.

    Put it first in AUTHENTICATION_BACKENDS. It asks the others itself, so that it learns whether the
    password was right, and the session that Django's ``login`` begins names the one that knew it.

    If the attempt has to wait, ``authenticate`` returns None, as for a wrong password, and
    ``ClientMiddleware`` answers 429, or 503 while too many passwords are being checked.
    """

    # ``sign_in.inner_backends`` leaves out the backends that have it, also a project's subclass.
    limits_sign_ins = True

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        hidden = Secret(credentials)
        del credentials
        if sign_in.is_checking() or hidden.reveal().keys() <= NOT_GUESSED:
            return None
        try:
            user, admission = sign_in.attempt(request, hidden)
        except (TooManyAttempts, TooManyAtOnce) as refusal:
            sign_in.refuse(request, refusal)
            raise PermissionDenied(str(refusal)) from None
        if user is None:
            raise PermissionDenied("The credentials are wrong, or the user is inactive.")
        admission.succeeded_for_good()
        return user

    def get_user(self, user_id: Any) -> Any:
        """Return the user of a session that names this backend."""
        found = (backend.get_user(user_id) for backend, _ in sign_in.inner_backends())
        return next((user for user in found if isinstance(user, get_user_model())), None)

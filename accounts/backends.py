from functools import cache
from typing import Any

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.hashers import BasePasswordHasher, get_hasher
from django.http import HttpRequest
from django.utils.crypto import get_random_string
from django.views.decorators.debug import sensitive_variables

from .models import User


@cache
def _hash_of_nobody(hasher: BasePasswordHasher) -> str:
    """Return a hash of this hasher that no password has."""
    return hasher.encode(get_random_string(40), hasher.salt())


class AccountBackend(ModelBackend):
    """
    Django's ModelBackend, with the same work for an inactive user as for an unknown one.

    ModelBackend checks an inactive user's password. If the stored hash is an old one, the time that
    takes reveals that the user exists and whether the password was right.
    """

    @sensitive_variables()
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        name = kwargs.get(User.USERNAME_FIELD) if username is None else username
        if name is None or password is None:
            return None
        # For every name, because the first one of a process waits for it.
        nobodys = _hash_of_nobody(get_hasher())
        try:
            user = User._default_manager.get_by_natural_key(name)
        except User.DoesNotExist:
            user = None
        if user is None or not self.user_can_authenticate(user):
            # Not set_password(), which also draws a salt.
            User(password=nobodys).check_password(password)
            return None
        return user if user.check_password(password) else None

    aauthenticate = BaseBackend.aauthenticate  # type: ignore[assignment]

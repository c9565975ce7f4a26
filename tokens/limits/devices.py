"""
The cookie by which a browser shows that a user has signed in from it before.

With it the user can sign in while others guess the password of the same account. It has no other use: it
contains no secret of the user, and the password is still required. A new password makes it invalid.
"""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from ..client.cookie import find_cookie, full_name
from ..conf import conf
from ..sessions import auth_hashes
from ..sessions.receivers import former_auth_hashes
from .names import account_of

DEVICE = "latchkey_device"
REMEMBERED_FOR = timedelta(days=180)
_SALT = "tokens.device"


@dataclass(frozen=True, slots=True)
class Device:
    """A browser from which the user with this key, as a string, has signed in."""

    user_key: str
    digest: str  # of the user's password

    @property
    def caller(self) -> str:
        """
        Return the caller of its count: one for all browsers of a user, who can get any number of cookies.

        A cookie from before the password changed has another count. So an attacker who has such a
        cookie cannot use up the owner's attempts.
        """
        return f"device {account_of(self.user_key)} {self.digest}"

    def is_of(self, user: Any) -> bool:
        """Return whether it is this user's, and the user has had no new password since."""
        if self.user_key != str(user.pk):
            return False
        # The attempt itself may have stored a better hash of the password.
        hashes = (*auth_hashes(user), *former_auth_hashes(user))
        return any(_digest(auth_hash) == self.digest for auth_hash in hashes)


def find(request: HttpRequest) -> Device | None:
    """Return the device of the request's cookie, None if it has none that was signed here."""
    cookie = find_cookie(request, DEVICE)
    if cookie is None:
        return None
    try:
        # A former SECRET_KEY verifies it too (SECRET_KEY_FALLBACKS).
        user_key, digest = signing.loads(cookie.reveal(), salt=_SALT, max_age=REMEMBERED_FOR)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Device(user_key, digest)


def remember(response: HttpResponseBase, user: Any) -> None:
    """Set the cookie of a device from which the user has just signed in."""
    value = [str(user.pk), _digest(user.get_session_auth_hash())]
    response.set_cookie(
        full_name(DEVICE),
        signing.dumps(value, salt=_SALT),
        max_age=REMEMBERED_FOR,
        secure=conf.TOKENS_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _digest(auth_hash: str) -> str:
    return sha256(auth_hash.encode()).hexdigest()[:32]

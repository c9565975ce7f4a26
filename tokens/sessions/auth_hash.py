"""
Whether a session began with the password that its user has now.

Django's session auth hash is an HMAC of the stored password under SECRET_KEY.
"""

from collections.abc import Iterator
from inspect import getattr_static
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models.query_utils import DeferredAttribute
from django.utils.crypto import constant_time_compare

from ..models import Session
from .query import Decisive

CAPACITY = 4096  # users, about 300 bytes each

_OF_CURRENT_KEY = ("get_session_auth_hash", "_get_session_auth_hash")

_known: dict[tuple[str, str], str] = {}


def auth_hashes(user: Any) -> Iterator[str]:
    """Yield the session auth hashes of the user's password under SECRET_KEY and its fallbacks."""
    yield user.get_session_auth_hash()
    yield from user.get_session_auth_fallback_hash()


def auth_hash_matches(session: Decisive | Session, user: Any) -> bool:
    """Return whether the session began with the user's current password, under any of our keys."""
    return constant_time_compare(session.auth_hash, current_hash(user)) or any(
        constant_time_compare(session.auth_hash, former)
        for former in user.get_session_auth_fallback_hash()
    )


def depends_on_password_only() -> bool:
    """Return whether the auth hashes are Django's, of the column ``password``."""
    model: Any = Session._meta.get_field("user").related_model
    names = (*_OF_CURRENT_KEY, "get_session_auth_fallback_hash")
    return isinstance(getattr_static(model, "password", None), DeferredAttribute) and all(
        getattr(model, name, 0) is getattr(AbstractBaseUser, name) for name in names
    )


def current_hash(user: Any) -> str:
    """Return ``user.get_session_auth_hash()``, computed once for each password and SECRET_KEY."""
    of_django = AbstractBaseUser
    if any(
        getattr(type(user), name, 0) is not getattr(of_django, name) for name in _OF_CURRENT_KEY
    ):
        return str(user.get_session_auth_hash())  # It may depend on more than the password.
    key = (settings.SECRET_KEY, user.password)
    known = _known.get(key)
    if known is None:
        if len(_known) >= CAPACITY:
            _known.clear()
        known = _known[key] = str(user.get_session_auth_hash())
    return known

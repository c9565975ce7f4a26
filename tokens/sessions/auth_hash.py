"""
Whether a session began under the password that its user has now.

Django's session auth hash is an HMAC of the stored password. It depends on that and SECRET_KEY
alone, so it is computed once for each; a user model with a hash of its own is asked each time.
"""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.signals import setting_changed
from django.utils.crypto import constant_time_compare

from ..models import Session

CAPACITY = 4096  # users, at some 250 bytes

_known: dict[str, str] = {}


def auth_hashes(user: Any) -> Iterator[str]:
    """Yield the session auth hashes that the user's password has under our secrets."""
    yield user.get_session_auth_hash()
    yield from user.get_session_auth_fallback_hash()


def auth_hash_matches(session: Session, user: Any) -> bool:
    """Tell whether the user's password is, under one of our secrets, that of the session."""
    return constant_time_compare(session.auth_hash, _current_hash(user)) or any(
        constant_time_compare(session.auth_hash, former)
        for former in user.get_session_auth_fallback_hash()
    )


def _current_hash(user: Any) -> str:
    if not _has_djangos_hash(user):
        return str(user.get_session_auth_hash())
    known = _known.get(user.password)
    if known is None:
        if len(_known) >= CAPACITY:
            _known.clear()
        known = _known[user.password] = str(user.get_session_auth_hash())
    return known


def _has_djangos_hash(user: Any) -> bool:
    model, djangos = type(user), AbstractBaseUser
    return (
        model.get_session_auth_hash is djangos.get_session_auth_hash
        and model._get_session_auth_hash is djangos._get_session_auth_hash  # type: ignore[attr-defined]
    )


def _forget(setting: str, **kwargs: Any) -> None:
    if setting == "SECRET_KEY":
        _known.clear()


setting_changed.connect(_forget, dispatch_uid="tokens.look.passwords")

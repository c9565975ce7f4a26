"""
End a user's sessions when the user is deactivated or deleted, or when their password changes.

Receivers of the user model's signals, so it does not matter whether the API, the admin,
``changepassword`` or a shell saves the user.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.hashers import check_password, get_hasher, identify_hasher
from django.db import transaction
from django.db.models.signals import post_save, pre_delete, pre_save

from ..database import places
from ..errors import UserGone
from ..models import EndReason, Session, fetch_uncached
from .auth_hash import auth_hashes
from .eligibility import lock
from .ending import end_with_user
from .passwords import end_after_password_change, keep_after_rehash, session_that_continues

_RELEVANT_FIELDS = {"password", "is_active"}

_raw_password: ContextVar[str | None] = ContextVar("tokens_raw_password", default=None)


def connect(user_model: Any) -> None:
    """Connect the receivers for instances of exactly this class."""
    pre_save.connect(before_user_save, user_model, dispatch_uid="tokens.before_save")
    post_save.connect(after_user_save, user_model, dispatch_uid="tokens.after_save")
    pre_delete.connect(before_user_delete, user_model, dispatch_uid="tokens.delete")


@contextmanager
def password_attempt(raw_password: str) -> Iterator[None]:
    """
    While this runs, ``raw_password`` is known to the receivers of a user that is saved meanwhile.

    Django's ModelBackend stores a better hash of an old one at sign-in, and overwrites whatever is
    stored by then: the better hash of another sign-in, or a new password.
    """
    token = _raw_password.set(raw_password)
    try:
        yield
    finally:
        _raw_password.reset(token)


def was_outdated(user: Any) -> bool:
    """Return whether the password of the attempt that loaded ``user`` was changed meanwhile."""
    return bool(user.__dict__.get("_tokens_password_outdated"))


def former_auth_hashes(user: Any) -> list[str]:
    """Return the auth hashes of the same password before this attempt gave it a better hash."""
    return list(user.__dict__.get("_tokens_former_auth_hashes", ()))


def before_user_save(
    sender: Any,
    instance: Any,
    raw: bool,
    using: str,
    update_fields: frozenset[str] | None,
    **kwargs: Any,
) -> None:
    """
    Keep the sessions when Django stores a better hash of the same password.

    ``check_password`` does that at sign-in: it sets the password, clears the marker that
    ``set_password`` leaves, and saves that one field.
    """
    if raw or instance._state.adding or update_fields != frozenset({"password"}):
        return
    if instance._password is not None:
        return
    rows = sender._default_manager.using(using).filter(pk=instance.pk)
    former = next(iter(fetch_uncached(rows)), None)
    if former is None:
        return
    if _is_upgrade(former.password, instance.password):
        with transaction.atomic(using=using):
            # Of two sign-ins that upgrade the same hash, the database lets one win.
            if rows.filter(password=former.password).update(password=instance.password):
                former_hashes = list(auth_hashes(former))
                keep_after_rehash(instance, former_hashes=former_hashes)
                instance._tokens_same_password = True
                instance._tokens_former_auth_hashes = former_hashes
                return
        former = next(iter(fetch_uncached(rows)), former)
    attempt = _raw_password.get()
    if attempt is not None and former.password != instance.password:
        # Stored meanwhile, and kept: by another sign-in, or as a new password.
        instance.password = former.password
        instance._tokens_same_password = True
        instance._tokens_password_outdated = not check_password(attempt, former.password)


def after_user_save(
    sender: Any,
    instance: Any,
    created: bool,
    raw: bool,
    update_fields: frozenset[str] | None,
    **kwargs: Any,
) -> None:
    """End the sessions of an inactive user, or those that began with another password."""
    if raw or created or (update_fields is not None and not _RELEVANT_FIELDS & update_fields):
        return
    if instance.__dict__.pop("_tokens_same_password", False):
        return
    # Part of the caller's transaction, if there is one: the user and the sessions change together.
    with places.atomic(Session):
        if not instance.is_active:
            end_with_user(instance, Session.objects.all(), reason=EndReason.USER_INACTIVE)
        else:
            end_after_password_change(instance, keep=session_that_continues())


def before_user_delete(sender: Any, instance: Any, **kwargs: Any) -> None:
    """End the sessions before the user's deletion cascades to their rows; the denials remain."""
    with suppress(UserGone):
        lock(instance)  # A sign-in under way comes first, or comes to nothing.
    end_with_user(instance, Session.objects.all(), reason=EndReason.USER_DELETED, keep_owner=False)


def _is_upgrade(former: str, current: str) -> bool:
    """Return whether Django would replace ``former`` by a hash like ``current`` at a sign-in."""
    try:
        return _is_outdated(former) and not _is_outdated(current)
    except ValueError:
        return False  # set_unusable_password() clears the marker as well, and stores no hash.


def _is_outdated(encoded_password: str) -> bool:
    hasher, preferred = identify_hasher(encoded_password), get_hasher("default")
    return hasher.algorithm != preferred.algorithm or preferred.must_update(encoded_password)

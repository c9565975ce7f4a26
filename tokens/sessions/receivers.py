"""
End a user's sessions when the user is deactivated or deleted, or when their password changes.

Receivers of the user model's signals, so it does not matter whether the API, the admin,
``changepassword`` or a shell saves the user.
"""

from typing import Any

from django.contrib.auth.hashers import get_hasher, identify_hasher
from django.db import transaction
from django.db.models.signals import post_save, pre_delete, pre_save

from ..models import EndReason
from .auth_hash import auth_hashes
from .ending import end_all
from .lifecycle import end_after_password_change, keep_after_rehash

_RELEVANT_FIELDS = {"password", "is_active"}


def connect(user_model: Any) -> None:
    """Connect the receivers for instances of exactly this class."""
    pre_save.connect(before_user_save, user_model, dispatch_uid="tokens.before_save")
    post_save.connect(after_user_save, user_model, dispatch_uid="tokens.after_save")
    pre_delete.connect(before_user_delete, user_model, dispatch_uid="tokens.delete")


def before_user_save(
    sender: Any, instance: Any, raw: bool, update_fields: frozenset[str] | None, **kwargs: Any
) -> None:
    """
    Remember the former auth hashes when Django stores a better hash of the same password.

    ``check_password`` does that at sign-in: it sets the password, clears the marker that
    ``set_password`` leaves, and saves that one field.
    """
    if raw or instance._state.adding or update_fields != frozenset({"password"}):
        return
    if instance._password is not None:
        return
    former = sender._default_manager.filter(pk=instance.pk).first()
    if former is not None and _is_upgrade(former.password, instance.password):
        instance._tokens_upgraded_from = list(auth_hashes(former))


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
    # Part of the caller's transaction, if there is one: the user and the sessions change together.
    with transaction.atomic():
        if former_hashes := instance.__dict__.pop("_tokens_upgraded_from", None):
            keep_after_rehash(instance, former_hashes=former_hashes)
        elif not instance.is_active:
            end_all(instance, reason=EndReason.USER_INACTIVE)
        else:
            end_after_password_change(instance, keep=getattr(instance, "_tokens_current_sid", None))


def before_user_delete(sender: Any, instance: Any, **kwargs: Any) -> None:
    """End the sessions before the user's deletion cascades to their rows; the denials remain."""
    end_all(instance, reason=EndReason.USER_DELETED, keep_owner=False)


def _is_upgrade(former: str, current: str) -> bool:
    """Return whether Django would replace ``former`` by a hash like ``current`` at a sign-in."""
    try:
        return _is_outdated(former) and not _is_outdated(current)
    except ValueError:
        return False  # set_unusable_password() clears the marker as well, and stores no hash.


def _is_outdated(encoded_password: str) -> bool:
    hasher, preferred = identify_hasher(encoded_password), get_hasher("default")
    return hasher.algorithm != preferred.algorithm or preferred.must_update(encoded_password)

"""
What happens to a user happens to their sessions, whoever saved the user: the API, the admin,
``changepassword``, or a line in a shell.
"""

from typing import Any

from django.contrib.auth.hashers import get_hasher, identify_hasher
from django.db import transaction
from django.db.models.signals import post_save, pre_delete, pre_save

from ..models import EndReason
from .auth_hash import auth_hashes
from .ending import end_all
from .lifecycle import end_after_password_change, keep_after_rehash

_FOLLOWED = {"password", "is_active"}


def follow(user_model: Any) -> None:
    """Let the sessions follow what happens to the instances of this very class."""
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
    """End the sessions that an inactive user or another password leaves behind."""
    if raw or created or (update_fields is not None and not _FOLLOWED & update_fields):
        return
    # One transaction with its caller's, so that neither stands without the other.
    with transaction.atomic():
        if former_hashes := instance.__dict__.pop("_tokens_upgraded_from", None):
            keep_after_rehash(instance, former_hashes=former_hashes)
        elif not instance.is_active:
            end_all(instance, reason=EndReason.USER_INACTIVE)
        else:
            end_after_password_change(instance, keep=getattr(instance, "_tokens_current_sid", None))


def before_user_delete(sender: Any, instance: Any, **kwargs: Any) -> None:
    """Deny the sessions first: their rows go with the user, and the denials stay."""
    end_all(instance, reason=EndReason.USER_DELETED, keep_owner=False)


def _is_upgrade(former: str, current: str) -> bool:
    """Tell whether Django, at a sign-in, would put the one hash in the place of the other."""
    try:
        return _is_outdated(former) and not _is_outdated(current)
    except ValueError:
        return False  # One of them is no hash: set_unusable_password() leaves no marker either.


def _is_outdated(encoded_password: str) -> bool:
    hasher, preferred = identify_hasher(encoded_password), get_hasher("default")
    return hasher.algorithm != preferred.algorithm or preferred.must_update(encoded_password)

"""The user model. This app does not depend on ``tokens``."""

import uuid
from typing import ClassVar

from django.contrib.auth import hashers
from django.contrib.auth.models import AbstractUser
from django.db import connection, models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A user with a random primary key, which reveals nothing and so can be in a token."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(_("email address"))

    REQUIRED_FIELDS: ClassVar = ["email"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        # For the admin's filters: each matches few users, and would otherwise scan the table.
        indexes: ClassVar = [
            models.Index(fields=["username"], condition=Q(is_staff=True), name="user_staff"),
            models.Index(
                fields=["username"], condition=Q(is_superuser=True), name="user_superuser"
            ),
            models.Index(fields=["username"], condition=Q(is_active=False), name="user_inactive"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("email"),
                condition=~Q(email=""),
                name="user_email_unique_whatever_its_case",
                violation_error_message=_("A user with that email address already exists."),
            ),
        ]

    def check_password(self, raw_password: str | None) -> bool:
        """
        Return whether this is the password, and replace an outdated hash of it.

        Django's own method overwrites whatever is stored by then: a hash that another sign-in has
        just upgraded, which looks like a password change, or the hash of a new password.
        """
        checked, replaced = self.password, False

        def upgrade(raw_password: str) -> None:
            nonlocal replaced
            better = hashers.make_password(raw_password)  # Slow, so before the lock.
            with transaction.atomic():
                # Other transactions may go on to insert rows that point to the user.
                no_key = connection.features.has_select_for_no_key_update
                locked = User._default_manager.select_for_update(no_key=no_key).filter(pk=self.pk)
                stored = locked.values_list("password", flat=True).first()
                replaced = stored != checked
                self.password = (stored or "") if replaced else better
                if not replaced:
                    self.save(update_fields=["password"])

        if not hashers.check_password(raw_password, checked, upgrade):
            return False
        return not replaced or hashers.check_password(raw_password, self.password)

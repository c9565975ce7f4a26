"""The ids that are refused although their signature is good."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .instants import InstantField
from .uncached import UncachedQuerySet

MAX_REASON_LENGTH = 200


class DeniedToken(models.Model):
    """
    An id that is refused although its signature is good: a ``jti``, a ``sid`` or a ``kid``.

    Or an id of whose tokens some are refused: only the rows of the sessions know which. The four
    have different forms, so none can pass for another. A row matters until ``until``:
    afterwards every token that carries the id has expired.
    """

    class Kind(models.TextChoices):
        TOKEN = "jti", _("token")
        SESSION = "sid", _("session")
        KEY = "kid", _("key")
        ASK = "ask", _("tokens to look up")  # See denylist.ask_about().

    value = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=3, choices=Kind.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The owner. Empty for a key, and after the user is deleted."),
    )
    reason = models.CharField(max_length=MAX_REASON_LENGTH)
    denied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # Nearly all are empty; denied_by_staff indexes the others.
        help_text=_("The staff member. Empty if no staff member denied it."),
    )
    denied_at = InstantField()
    until = InstantField(db_index=True)

    objects = UncachedQuerySet["DeniedToken"].as_manager()

    class Meta:
        verbose_name = _("denial")
        verbose_name_plural = _("denylist")
        default_permissions = ("view",)
        permissions: ClassVar = [("deny_token", "Can deny tokens")]
        indexes: ClassVar = [
            models.Index(fields=["kind", "-id"], name="denied_kind"),
            models.Index(
                fields=["denied_by"], condition=Q(denied_by__isnull=False), name="denied_by_staff"
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["jti", "sid", "kid", "ask"]) & ~Q(value=""),
                name="denial_names_an_id",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value[:8]}"

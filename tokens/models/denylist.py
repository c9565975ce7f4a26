"""The ids that are refused although their signature is good."""

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .instants import InstantField
from .uncached import UncachedQuerySet

MAX_REASON_LENGTH = 200
MAX_VALUE_LENGTH = 64
EVERYONE = "*"  # The value of the cut-off for all users.


def new_nonce() -> int:
    """Return a random positive number. SQLite can add up two thousand million of them."""
    return secrets.randbits(32) + 1


class DeniedToken(models.Model):
    """
    An id that is refused although its signature is good: a ``jti``, a ``sid`` or a ``kid``.

    Or an id of whose tokens some are refused: only the rows of the sessions know which. Or a
    cut-off: every session of all users, or of one, that began before ``issued_before`` is refused.
    The five have different forms, so none can pass for another. A row matters until ``until``:
    afterwards every token that it refuses has expired.
    """

    class Kind(models.TextChoices):
        TOKEN = "jti", _("token")
        SESSION = "sid", _("session")
        KEY = "kid", _("key")
        ASK = "ask", _("tokens to look up")  # See denylist.ask_about().
        CUT_OFF = "cut", _("all sessions before an instant")

    value = models.CharField(_("value"), max_length=MAX_VALUE_LENGTH, unique=True)
    kind = models.CharField(_("kind"), max_length=3, choices=Kind.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The owner. Empty for a key, and after the user is deleted."),
    )
    reason = models.CharField(max_length=MAX_REASON_LENGTH)
    denied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("denied by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # Nearly all are empty; denied_by_staff indexes the others.
        help_text=_("The staff member. Empty if no staff member denied it."),
    )
    denied_at = InstantField()
    until = InstantField()
    issued_before = InstantField(
        null=True, blank=True, help_text=_("A cut-off: sessions that began earlier are refused.")
    )
    nonce = models.BigIntegerField(
        default=new_nonce,
        editable=False,
        help_text=_("Random. By their sum, a process sees that it has read all rows."),
    )

    objects = UncachedQuerySet["DeniedToken"].as_manager()

    class Meta:
        verbose_name = _("denial")
        verbose_name_plural = _("denylist")
        default_permissions = ("view",)
        permissions: ClassVar = [("deny_token", "Can deny tokens")]
        indexes: ClassVar = [
            models.Index(fields=["kind", "-id"], name="denied_kind"),
            # For pruning. And a reading of snapshot mode needs nothing of a row that is not in it.
            models.Index(fields=["until", "id", "nonce"], name="denied_until"),
            models.Index(
                fields=["denied_by"], condition=Q(denied_by__isnull=False), name="denied_by_staff"
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["jti", "sid", "kid", "ask", "cut"]) & ~Q(value=""),
                name="denial_names_an_id",
            ),
            models.CheckConstraint(
                condition=Q(kind="cut", issued_before__isnull=False)
                | ~Q(kind="cut") & Q(issued_before=None),
                name="cut_off_has_an_instant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value[:8]}"

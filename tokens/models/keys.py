"""The signing keys, encrypted."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .instants import InstantField
from .uncached import UncachedQuerySet


class SigningKey(models.Model):
    """One key of the ring. ``sealed`` opens under ``TOKENS_SECRET`` only, in ``keyring`` only."""

    class State(models.TextChoices):
        # In the order in which lists show them.
        SIGNING = "signing", _("signs")
        NEXT = "next", _("published, will sign next")
        RETIRED = "retired", _("only verifies")
        REVOKED = "revoked", _("revoked")

    kid = models.CharField(_("kid"), max_length=64, primary_key=True)
    algorithm = models.CharField(_("algorithm"), max_length=8)
    state = models.CharField(_("state"), max_length=8, choices=State.choices)
    sealed = models.TextField(editable=False, blank=True, help_text=_("Empty once revoked."))
    created_at = InstantField()
    signs_since = InstantField(null=True, blank=True)
    retired_at = InstantField(
        null=True, blank=True, help_text=_("When it stopped signing, or was revoked unused.")
    )
    verifies_until = InstantField(null=True, blank=True)
    longest_life = models.DurationField(
        editable=False, help_text=_("No token that this key signed has a longer lifetime.")
    )

    objects = UncachedQuerySet["SigningKey"].as_manager()

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        default_permissions = ("view",)
        permissions: ClassVar = [("rotate_signingkey", "Can rotate signing keys")]
        constraints: ClassVar = [
            # Of two processes that rotate at once, the database lets one succeed.
            models.UniqueConstraint(
                fields=["state"],
                condition=Q(state__in=["next", "signing"]),
                name="one_key_signs_and_one_is_next",
            ),
            models.CheckConstraint(
                condition=Q(state="next", signs_since=None, verifies_until=None)
                | Q(state="signing", signs_since__isnull=False, verifies_until=None)
                | Q(state__in=["retired", "revoked"], retired_at__isnull=False)
                & Q(verifies_until__isnull=False),
                name="key_has_the_instants_of_its_state",
            ),
            models.CheckConstraint(
                condition=Q(state="revoked", sealed="") | ~Q(state="revoked") & ~Q(sealed=""),
                name="key_is_erased_when_revoked",
            ),
        ]

    def __str__(self) -> str:
        return gettext("key %(id)s") % {"id": self.kid[:8]}

    @property
    def state_since(self) -> datetime | None:
        since = {"signing": self.signs_since, "next": self.created_at, "retired": self.retired_at}
        return since.get(self.state, self.verifies_until)  # Revoked: it verified until then.

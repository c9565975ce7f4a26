"""Which history of the denylist the feed follows, and who may read it."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..models import InstantField
from ..models.uncached import UncachedQuerySet

SINGLE_ROW = 1
MAX_NAME_LENGTH = 100


class Epoch(models.Model):
    """
    The one row that names the history of the denylist.

    A process that finds rows missing, as after a failover or a restore, changes the name.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLE_ROW)
    name = models.CharField(max_length=32)
    began_at = InstantField()

    objects = UncachedQuerySet["Epoch"].as_manager()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=SINGLE_ROW), name="feed_has_one_epoch")
        ]

    def __str__(self) -> str:
        return f"epoch {self.name}"


class FeedReader(models.Model):
    """
    A service that may read the feed. ``digest`` is the digest of its key, which is not stored.

    A key has 256 random bits, so its SHA-256 is enough.
    """

    name = models.CharField(
        _("name"), max_length=MAX_NAME_LENGTH, help_text=_("The service that gets the key.")
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = InstantField(_("created"))
    last_used_at = InstantField(_("last used"), null=True, blank=True)
    revoked_at = InstantField(_("revoked"), null=True, blank=True)

    objects = UncachedQuerySet["FeedReader"].as_manager()

    class Meta:
        verbose_name = _("reader of the feed")
        verbose_name_plural = _("readers of the feed")
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("change_feedreaders", "Can create and revoke readers of the feed")
        ]

    def __str__(self) -> str:
        return self.name

"""The attempts of callers, the last pruning, and what happened on each day."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .instants import InstantField
from .uncached import UncachedQuerySet


class ThrottleCount(models.Model):
    """
    The instant at which the attempts of one caller no longer count. Then the row can go.

    Other rows say until when something holds: a network from which anybody has signed in is known, or
    an operator admits a user. ``limits.counts`` writes both.
    """

    caller = models.CharField(max_length=120, primary_key=True)
    clear_at = models.BigIntegerField(db_index=True, help_text=_("Microseconds since 1970."))

    objects = UncachedQuerySet["ThrottleCount"].as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.caller


class PruneRun(models.Model):
    """When pruning last ran and what it deleted: the only row of its table."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    started_at = InstantField()
    finished_at = InstantField(
        null=True, blank=True, help_text=_("Empty while it runs, and if it was killed.")
    )
    complete = models.BooleanField(
        default=False, help_text=_("Whether nothing was left to delete when it finished.")
    )
    deleted = models.JSONField(default=dict, help_text=_("The number of deleted rows by kind."))

    objects = UncachedQuerySet["PruneRun"].as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="pruning_has_one_row"),
        ]

    def __str__(self) -> str:
        return f"pruning of {self.started_at:%Y-%m-%d %H:%M}"


class DailyCount(models.Model):
    """
    What happened on one day of the project's time zone, for the first page of the admin.

    ``daily`` adds to the row in batches. A process that is killed loses what it has not written, so
    each number is a minimum. There is one row a day, and none is deleted.
    """

    day = models.DateField(primary_key=True)
    sign_ins = models.PositiveBigIntegerField(default=0)
    failed_sign_ins = models.PositiveBigIntegerField(default=0)
    refreshes = models.PositiveBigIntegerField(default=0)
    repeats = models.PositiveBigIntegerField(
        default=0, help_text=_("How often a pair was given again, within the grace or later.")
    )
    reuses = models.PositiveBigIntegerField(default=0)
    revocations = models.PositiveBigIntegerField(default=0)

    objects = UncachedQuerySet["DailyCount"].as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"counts of {self.day}"

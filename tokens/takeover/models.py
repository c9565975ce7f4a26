"""The state of the switch, the tokens that have a session, and the other package's two tables."""

from datetime import datetime
from typing import ClassVar

from django.apps.registry import Apps
from django.conf import settings
from django.db import models

from ..conf import conf
from ..models import InstantField

SINGLE_ROW = 1


class Switch(models.Model):
    """
    The one row that says whether tokens of the other package are accepted.

    Without the row, none is. ``users_known_at`` is when the latest import began that came to its end:
    each user who was active then has a row for the tokens that were not imported.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLE_ROW)
    opened_at = InstantField()
    cut_over_at = InstantField(help_text="No token that was issued later is accepted.")
    closes_at = InstantField(help_text="When the last of the tokens has expired.")
    closed_at = InstantField(null=True)
    users_known_at = InstantField(null=True)
    has_blacklist = models.BooleanField(default=False)
    public_key = models.TextField(blank=True, help_text="The key that JWK_URL had, as PEM.")

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(id=SINGLE_ROW), name="takeover_has_one_switch"
            ),
        ]

    def __str__(self) -> str:
        return "the switch from djangorestframework-simplejwt"

    def is_open(self, now: datetime) -> bool:
        return self.closed_at is None and now < self.closes_at

    def may_have_been_pruned(self, now: datetime) -> bool:
        """
        Return whether a session that is missing may have been ended since, and its row pruned.

        Then no user gets one for tokens that nothing is known about: it would revive them.
        """
        return now - self.opened_at > conf.TOKENS_RETENTION


class AdoptedToken(models.Model):
    """
    A token of the other package for which there is a session, or was one.

    The primary key is the ``sid``. While this row exists, the token starts no other session, also when
    the row of its session was pruned.
    """

    sid = models.UUIDField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    is_refresh = models.BooleanField()
    used_at = InstantField(null=True, help_text="When the token was last shown.")

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["is_refresh", "used_at"], name="takeover_used"),
        ]

    def __str__(self) -> str:
        return f"adopted token of session {str(self.sid)[:8]}"


class OutstandingToken(models.Model):
    """A row of the other package's blacklist app, which may or may not be installed."""

    id = models.BigAutoField(primary_key=True)
    jti = models.CharField(max_length=255, unique=True)
    token = models.TextField()
    expires_at = models.DateTimeField()

    objects: ClassVar[models.Manager["OutstandingToken"]] = models.Manager()

    class Meta:
        # A registry of its own: two models of the project's registry may not share a table.
        apps = Apps()
        app_label = "tokens_takeover"
        managed = False
        db_table = "token_blacklist_outstandingtoken"

    def __str__(self) -> str:
        return f"outstanding token {self.pk}"


class BlacklistedToken(models.Model):
    id = models.BigAutoField(primary_key=True)
    token_id = models.BigIntegerField()

    objects: ClassVar[models.Manager["BlacklistedToken"]] = models.Manager()

    class Meta:
        apps = OutstandingToken._meta.apps
        app_label = "tokens_takeover"
        managed = False
        db_table = "token_blacklist_blacklistedtoken"

    def __str__(self) -> str:
        return f"blacklisted token {self.pk}"

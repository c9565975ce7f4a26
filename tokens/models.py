"""The rows: sessions, what is denied, the sealed keys, the sign-in counters, the last pruning."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

MAX_REASON_LENGTH = 200


class EndReason(models.TextChoices):
    LOGOUT = "logout", _("signed out")
    REVOKED = "revoked", _("revoked")
    REUSE = "reuse", _("a refresh token was used again")
    PASSWORD_CHANGED = "password_changed", _("password changed")
    USER_INACTIVE = "user_inactive", _("user deactivated")
    USER_DELETED = "user_deleted", _("user deleted")


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self, *, now: datetime) -> SessionQuerySet:
        """Keep the sessions that a refresh token can still continue at ``now``."""
        # A revoked key takes its sessions with it without a write to any of their rows.
        return self.filter(~key_revoked(), ended_at=None, expires_at__gt=now, idle_until__gt=now)


def key_revoked() -> Q:
    """Return, as a condition on sessions, whether the key of its refresh token was revoked."""
    # The few kids are looked up once per query. Asked by an EXISTS for each row, PostgreSQL joins
    # the two tables whole, where the first fifty rows of an index were wanted.
    return Q(kid__in=DeniedToken.objects.filter(kind=DeniedToken.Kind.KEY).values("value"))


class Session(models.Model):
    """
    One sign-in on one device: the family of every token issued since.

    Its key is the ``sid`` claim. ``generation`` counts the rotations of its refresh token, and
    is in no index, so that a rotation rewrites one row and nothing else.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="token_sessions",
        db_index=False,  # The index on (user, started_at) begins with it.
    )
    generation = models.PositiveIntegerField(default=0)
    kid = models.CharField(
        max_length=64, help_text=_("The key that signed the current refresh token.")
    )
    auth_hash = models.CharField(
        max_length=128,
        editable=False,
        help_text=_("The user's session auth hash at sign-in; another one ends the session."),
    )
    started_at = models.DateTimeField()
    refreshed_at = models.DateTimeField()
    idle_until = models.DateTimeField(help_text=_("When its refresh token expires."))
    expires_at = models.DateTimeField(help_text=_("The absolute limit."))
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=20, choices=EndReason.choices, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=400, blank=True)
    refreshed_ip_address = models.GenericIPAddressField(null=True, blank=True)
    ended_ip_address = models.GenericIPAddressField(null=True, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("revoke_session", "Can revoke sessions"),
            ("introspect_token", "Can introspect tokens"),
        ]
        # None may hold generation, refreshed_at, idle_until or refreshed_ip_address, in its
        # condition neither: PostgreSQL then rewrites the row at each rotation and no index (a HOT
        # update).
        indexes: ClassVar = [
            models.Index(fields=["user", "-started_at"], name="session_user"),
            models.Index(fields=["-started_at"], name="session_started"),
            models.Index(
                fields=["-ended_at"], condition=Q(ended_at__isnull=False), name="session_ended"
            ),
            # Pruning takes them in this order too, from its other end.
            models.Index(
                fields=["end_reason", "-ended_at"],
                condition=Q(ended_at__isnull=False),
                name="session_end_reason",
            ),
            models.Index(
                fields=["expires_at"], condition=Q(ended_at=None), name="session_prune_expired"
            ),
            models.Index(fields=["ip_address", "-started_at"], name="session_address"),
            models.Index(
                fields=["ended_ip_address", "-ended_at"],
                condition=Q(ended_ip_address__isnull=False),
                name="session_ended_address",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ended_at=None, end_reason="")
                | Q(ended_at__isnull=False) & ~Q(end_reason=""),
                name="session_ends_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"session {str(self.id)[:8]}"


class DeniedToken(models.Model):
    """
    An id that is refused although its signature is good: a ``jti``, a ``sid`` or a ``kid``.

    The three cannot be confused: they differ in form. A row matters until ``until``; after
    that, nothing that carries the id can be valid any more.
    """

    class Kind(models.TextChoices):
        TOKEN = "jti", _("token")
        SESSION = "sid", _("session")
        KEY = "kid", _("key")

    value = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=3, choices=Kind.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Whose it was; empty for a key, and when the user is gone."),
    )
    reason = models.CharField(max_length=MAX_REASON_LENGTH)
    denied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # Nearly all are empty, and an index of the others is below.
        help_text=_("Empty when nobody of the staff did."),
    )
    denied_at = models.DateTimeField()
    until = models.DateTimeField(db_index=True)

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

    def __str__(self) -> str:
        return f"{self.kind} {self.value[:8]}"


class SigningKey(models.Model):
    """One key of the ring. ``sealed`` opens under ``TOKEN_SECRET`` only, in ``keyring`` only."""

    class State(models.TextChoices):
        # In the order in which lists show them.
        SIGNING = "signing", _("signs")
        NEXT = "next", _("published, will sign next")
        RETIRED = "retired", _("only verifies")
        REVOKED = "revoked", _("revoked")

    kid = models.CharField(max_length=64, primary_key=True)
    algorithm = models.CharField(max_length=8)
    state = models.CharField(max_length=8, choices=State.choices)
    sealed = models.TextField(editable=False, blank=True, help_text=_("Empty once revoked."))
    created_at = models.DateTimeField()
    signs_since = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When it stopped signing, or was revoked unused.")
    )
    verifies_until = models.DateTimeField(null=True, blank=True)
    longest_life = models.DurationField(
        null=True,
        editable=False,
        help_text=_("No token that it signed lives longer; empty where nobody wrote that down."),
    )

    class Meta:
        default_permissions = ("view",)
        permissions: ClassVar = [("rotate_signingkey", "Can rotate signing keys")]
        constraints: ClassVar = [
            # Two processes that rotate at once: the database lets one of them win.
            models.UniqueConstraint(
                fields=["state"],
                condition=Q(state__in=["next", "signing"]),
                name="one_key_signs_and_one_is_next",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["retired", "revoked"]) | Q(verifies_until__isnull=False),
                name="a_key_that_no_longer_signs_has_an_end",
            ),
            models.CheckConstraint(
                condition=~Q(state="revoked") | Q(sealed=""),
                name="a_revoked_key_is_erased",
            ),
        ]

    def __str__(self) -> str:
        return f"key {self.kid[:8]}"

    @property
    def state_since(self) -> datetime | None:
        match self.state:
            case self.State.SIGNING:
                return self.signs_since
            case self.State.NEXT:
                return self.created_at
            case self.State.RETIRED:
                return self.retired_at
        return self.verifies_until  # A revoked key verifies until it was revoked.


class ThrottleCount(models.Model):
    """
    What counts against one caller at the moment, as the instant at which nothing does any more.

    It drains by itself, so that a row whose time is over says nothing and can go.
    """

    caller = models.CharField(max_length=120, primary_key=True)
    clear_at = models.BigIntegerField(
        db_index=True, help_text=_("In microseconds since 1970, when nothing counts any more.")
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.caller


class PruneRun(models.Model):
    """When pruning last ran and what it deleted: the one row of its table."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Empty while it runs, and when it was killed.")
    )
    complete = models.BooleanField(
        default=False, help_text=_("Whether nothing was left to delete when it finished.")
    )
    deleted = models.JSONField(default=dict, help_text=_("How many rows of each kind."))

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="pruning_has_one_row"),
        ]

    def __str__(self) -> str:
        return f"pruning of {self.started_at:%Y-%m-%d %H:%M}"

"""The tables: sessions, the denylist, the sealed keys, the sign-in counters and the last pruning."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

MAX_REASON_LENGTH = 200


class EndReason(models.TextChoices):
    LOGOUT = "logout", _("signed out")
    REVOKED = "revoked", _("revoked")
    REUSE = "reuse", _("a refresh token was used again")
    PASSWORD_CHANGED = "password_changed", _("password changed")
    USER_INACTIVE = "user_inactive", _("user deactivated")
    USER_DELETED = "user_deleted", _("user deleted")


class SessionState(models.TextChoices):
    LIVE = "live", _("live")  # A refresh token can still continue it.
    ENDED = "ended", _("ended")
    EXPIRED = "expired", _("expired")
    KEY_REVOKED = "key_revoked", _("key revoked")


def key_revoked() -> Q:
    """Return the condition that the key of a session's refresh token is revoked."""
    # The few revoked kids are read once per query. With an EXISTS for each row, PostgreSQL joins
    # both tables whole, although only the first fifty rows of an index are wanted.
    return Q(kid__in=DeniedToken.objects.filter(kind=DeniedToken.Kind.KEY).values("value"))


class SessionQuerySet(models.QuerySet["Session"]):
    """The states as conditions; ``Session.state_at`` is the same rule for one row."""

    def in_state(self, state: SessionState, *, now: datetime) -> SessionQuerySet:
        if state is SessionState.ENDED:
            return self.filter(ended_at__isnull=False)
        # expires_at is not named: idle_until is never later (a constraint of the table), and a
        # planner could prefer an index on expires_at to the range that bounds the rows.
        if state is SessionState.EXPIRED:
            return self.filter(ended_at=None, idle_until__lte=now)
        # A revoked key takes its sessions with it without a write to any of their rows.
        revoked = key_revoked() if state is SessionState.KEY_REVOKED else ~key_revoked()
        return self.filter(revoked, ended_at=None, idle_until__gt=now)

    def live(self, *, now: datetime) -> SessionQuerySet:
        return self.in_state(SessionState.LIVE, now=now)

    def with_key_revoked(self) -> SessionQuerySet:
        """Annotate what ``Session.state_at`` needs to know about other tables."""
        return self.annotate(is_key_revoked=key_revoked())


class Session(models.Model):
    """
    One sign-in on one device: the family of every token issued since.

    The primary key is the ``sid`` claim. ``generation`` counts the rotations of the refresh token.
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
        help_text=_("The user's session auth hash at sign-in. Another hash ends the session."),
    )
    started_at = models.DateTimeField()
    refreshed_at = models.DateTimeField()
    idle_until = models.DateTimeField(help_text=_("When the refresh token expires."))
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
        # No index may name generation, refreshed_at, idle_until or refreshed_ip_address, not even
        # in its condition: then PostgreSQL rewrites only the row at a rotation (a HOT update).
        indexes: ClassVar = [
            models.Index(fields=["user", "-started_at"], name="session_user"),
            models.Index(fields=["-started_at"], name="session_started"),
            models.Index(
                fields=["-ended_at"], condition=Q(ended_at__isnull=False), name="session_ended"
            ),
            # Pruning reads this index from its other end.
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
                | Q(ended_at__isnull=False, end_reason__in=EndReason.values),
                name="session_ends_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(idle_until__lte=F("expires_at")), name="session_idles_within_its_limit"
            ),
        ]

    def __str__(self) -> str:
        return f"session {str(self.id)[:8]}"

    def state_at(self, now: datetime) -> SessionState:
        """Return the state of a row that was read ``with_key_revoked``."""
        if self.ended_at is not None:
            return SessionState.ENDED  # First, because the row says why.
        if self.idle_until <= now:
            return SessionState.EXPIRED
        is_key_revoked: bool = self.is_key_revoked  # type: ignore[attr-defined]  # the annotation
        return SessionState.KEY_REVOKED if is_key_revoked else SessionState.LIVE


class DeniedToken(models.Model):
    """
    An id that is refused although its signature is good: a ``jti``, a ``sid`` or a ``kid``.

    The three have different forms, so none can pass for another. A row matters until ``until``:
    afterwards every token that carries the id has expired.
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
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["jti", "sid", "kid"]) & ~Q(value=""),
                name="denial_names_an_id",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value[:8]}"


class SigningKey(models.Model):
    """One key of the ring. ``sealed`` opens under ``TOKENS_SECRET`` only, in ``keyring`` only."""

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
        editable=False, help_text=_("No token that this key signed has a longer lifetime.")
    )

    class Meta:
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
        return f"key {self.kid[:8]}"

    @property
    def state_since(self) -> datetime | None:
        since = {"signing": self.signs_since, "next": self.created_at, "retired": self.retired_at}
        return since.get(self.state, self.verifies_until)  # Revoked: it verified until then.


class ThrottleCount(models.Model):
    """The instant at which the attempts of one caller no longer count. Then the row can go."""

    caller = models.CharField(max_length=120, primary_key=True)
    clear_at = models.BigIntegerField(db_index=True, help_text=_("Microseconds since 1970."))

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.caller


class PruneRun(models.Model):
    """When pruning last ran and what it deleted: the only row of its table."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Empty while it runs, and if it was killed.")
    )
    complete = models.BooleanField(
        default=False, help_text=_("Whether nothing was left to delete when it finished.")
    )
    deleted = models.JSONField(default=dict, help_text=_("The number of deleted rows by kind."))

    class Meta:
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="pruning_has_one_row"),
        ]

    def __str__(self) -> str:
        return f"pruning of {self.started_at:%Y-%m-%d %H:%M}"

"""The sessions: why they ended, and the states they are in."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .denylist import EVERYONE, DeniedToken
from .instants import InstantField
from .uncached import UncachedQuerySet


class EndReason(models.TextChoices):
    LOGOUT = "logout", _("signed out")
    REVOKED = "revoked", _("revoked")
    REUSE = "reuse", _("a refresh token was used again")
    PASSWORD_CHANGED = "password_changed", _("password changed")
    USER_INACTIVE = "user_inactive", _("user deactivated")
    USER_DELETED = "user_deleted", _("user deleted")
    OVER_LIMIT = "over_limit", _("too many sessions")  # of the user: the one idle longest ends


class SessionKind(models.TextChoices):
    """What the client holds."""

    PAIR = "pair", _("tokens")  # an access token and a refresh token
    ACCESS = "access", _("access token")  # one access token, which cannot be refreshed
    DJANGO = "django", _("Django session")  # the cookie of Django's own session, as for the admin


class SessionState(models.TextChoices):
    LIVE = "live", _("live")  # A refresh token can still continue it.
    ENDED = "ended", _("ended")
    EXPIRED = "expired", _("expired")
    CUT_OFF = "cut_off", _("revoked with all sessions")
    KEY_REVOKED = "key_revoked", _("key revoked")


def key_revoked() -> Q:
    """Return the condition that the key of a session's refresh token is revoked."""
    # The few revoked kids are read once per query. With an EXISTS for each row, PostgreSQL joins
    # both tables whole, although only the first fifty rows of an index are wanted.
    return Q(kid__in=DeniedToken.objects.filter(kind=DeniedToken.Kind.KEY).values("value"))


def cut_off() -> Q:
    """Return the condition that all users' sessions were revoked after a session began."""
    return Q(started_at__lt=_cut_off_of_everyone())


def not_cut_off() -> Q:
    never = Value(datetime(1970, 1, 1, tzinfo=UTC), output_field=InstantField())
    # Not ~cut_off(), which is unknown, and so not true, if there was no cut-off.
    return Q(started_at__gte=Coalesce(_cut_off_of_everyone(), never))


def _cut_off_of_everyone() -> Subquery:
    return Subquery(DeniedToken.objects.filter(value=EVERYONE).values("issued_before")[:1])


class SessionQuerySet(UncachedQuerySet["Session"]):
    """The states as conditions; ``Session.state_at`` is the same rule for one row."""

    def in_state(self, state: SessionState, *, now: datetime) -> SessionQuerySet:
        if state is SessionState.ENDED:
            return self.filter(ended_at__isnull=False)
        # expires_at is not named: idle_until is never later (a constraint of the table), and a
        # planner could prefer an index on expires_at to the range that bounds the rows.
        if state is SessionState.EXPIRED:
            return self.filter(ended_at=None, idle_until__lte=now)
        # A cut-off, or a revoked key, takes sessions with it without a write to any of their rows.
        begun = self.filter(ended_at=None, idle_until__gt=now)
        if state is SessionState.CUT_OFF:
            return begun.filter(cut_off())
        revoked = key_revoked() if state is SessionState.KEY_REVOKED else ~key_revoked()
        return begun.filter(not_cut_off(), revoked)

    def live(self, *, now: datetime) -> SessionQuerySet:
        return self.in_state(SessionState.LIVE, now=now)

    def with_tokens(self) -> SessionQuerySet:
        """Keep those that a signing key has a part in: not Django's own."""
        return self.exclude(kind=SessionKind.DJANGO)

    def with_revoked(self) -> SessionQuerySet:
        """Annotate what ``Session.state_at`` needs to know about other tables."""
        return self.annotate(is_key_revoked=key_revoked(), is_cut_off=~not_cut_off())


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
    kind = models.CharField(
        max_length=6, choices=SessionKind.choices, default=SessionKind.PAIR, editable=False
    )
    device_name = models.CharField(
        max_length=60, blank=True, help_text=_("The name that the user has given to the device.")
    )
    generation = models.PositiveIntegerField(_("generation"), default=0)
    first_generation = models.PositiveIntegerField(
        default=0, help_text=_("The first generation since the user last changed the password.")
    )
    proven_generation = models.PositiveIntegerField(
        default=0,
        editable=False,
        help_text=_(
            "The current generation when a successor of the first refresh token came first."
        ),
    )
    kid = models.CharField(
        _("kid"), max_length=64, help_text=_("The key that signed the current refresh token.")
    )
    auth_hash = models.CharField(
        max_length=128,
        editable=False,
        help_text=_("The user's session auth hash at sign-in. Another hash ends the session."),
    )
    claims = models.JSONField(default=dict, blank=True)
    status_index = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text=_("Where other services find the status. Empty: nowhere."),
    )
    idle_lifetime = models.DurationField(
        null=True, blank=True, help_text=_("Empty: TOKENS_REFRESH_LIFETIME.")
    )
    started_at = InstantField()
    refreshed_at = InstantField()
    idle_until = InstantField(help_text=_("When the refresh token expires."))
    expires_at = InstantField(help_text=_("The absolute limit."))
    ended_at = InstantField(null=True, blank=True)
    end_reason = models.CharField(max_length=20, choices=EndReason.choices, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(_("user agent"), max_length=400, blank=True)
    refreshed_ip_address = models.GenericIPAddressField(null=True, blank=True)
    refreshed_user_agent = models.CharField(max_length=400, blank=True)
    seen = models.BooleanField(
        default=False, help_text=_("Whether a token of this generation was seen in use.")
    )
    repeats = models.PositiveIntegerField(
        _("repeats"), default=0, help_text=_("How often the current pair was given again.")
    )
    repeats_elsewhere = models.PositiveIntegerField(
        _("repeats elsewhere"),
        default=0,
        help_text=_("How often to another network and user agent."),
    )
    repeated_at = InstantField(
        null=True, blank=True, help_text=_("When the current pair was last given again.")
    )
    is_late_answer_possible = models.BooleanField(
        default=False,
        help_text=_("Whether the former pair was given again shortly before the rotation."),
    )
    ended_ip_address = models.GenericIPAddressField(null=True, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        base_manager_name = "objects"  # For refresh_from_db() and deferred columns.
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("revoke_session", "Can revoke sessions"),
            ("introspect_token", "Can introspect tokens"),
        ]
        # No index may name what a refresh writes (writes.ROTATED, seen, repeats, …), not even in its
        # condition: then PostgreSQL rewrites only the row (a HOT update).
        indexes: ClassVar = [
            models.Index(fields=["user", "-started_at"], name="session_user"),
            # A user's open sessions, besides which there may be many that have ended.
            models.Index(fields=["user"], condition=Q(ended_at=None), name="session_open"),
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
            # Their tokens may outlive any denial, so a status list asks for those that have ended.
            models.Index(fields=["expires_at"], condition=Q(kind="access"), name="session_alone"),
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
            models.CheckConstraint(
                condition=Q(first_generation__lte=F("generation")),
                name="session_has_its_first_generation",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=SessionKind.values), name="session_has_a_known_kind"
            ),
        ]

    def __str__(self) -> str:
        return gettext("session %(id)s") % {"id": str(self.id)[:8]}

    def state_at(self, now: datetime) -> SessionState:
        """Return the state of a row that was read ``with_revoked``."""
        if self.ended_at is not None:
            return SessionState.ENDED  # First, because the row says why.
        if self.idle_until <= now:
            return SessionState.EXPIRED
        if self.is_cut_off:  # type: ignore[attr-defined]  # the annotations
            return SessionState.CUT_OFF
        is_key_revoked: bool = self.is_key_revoked  # type: ignore[attr-defined]
        return SessionState.KEY_REVOKED if is_key_revoked else SessionState.LIVE

import uuid

import django.db.models.deletion
from django.apps import apps as installed
from django.conf import settings
from django.core.management.base import CommandError
from django.db import migrations, models

from ..database.engines import refusal
from ..models.denylist import new_nonce
from ..models.instants import InstantField

# The app may be installed under another label.
LABEL = installed.get_containing_app_config(__name__).label


def refuse_other_engines(apps, schema_editor):
    """Stop before the first table: an engine without transactions of DDL would keep half of them."""
    # The checks of ``migrate`` report it before, unless they are skipped.
    if reason := refusal(schema_editor.connection):
        raise CommandError(reason)


def leave_room_for_rotations(apps, schema_editor):
    """Let PostgreSQL keep a rotated row on its own page, so that it writes no index (decision 20)."""
    if schema_editor.connection.vendor == "postgresql":
        table = schema_editor.quote_name(apps.get_model(LABEL, "Session")._meta.db_table)
        schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = 90)")


def skip_indexes_for_like(apps, schema_editor):
    """Leave out PostgreSQL's second index of each unique text column: no query uses LIKE on one."""
    # They are created at the end of the migration, from this list.
    schema_editor.deferred_sql = [
        statement
        for statement in schema_editor.deferred_sql
        if "varchar_pattern_ops" not in str(statement)
    ]


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(refuse_other_engines, migrations.RunPython.noop),
        migrations.CreateModel(
            name="ThrottleCount",
            fields=[
                ("caller", models.CharField(max_length=120, primary_key=True, serialize=False)),
                (
                    "clear_at",
                    models.BigIntegerField(db_index=True, help_text="Microseconds since 1970."),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DailyCount",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("sign_ins", models.PositiveBigIntegerField(default=0)),
                ("failed_sign_ins", models.PositiveBigIntegerField(default=0)),
                ("refreshes", models.PositiveBigIntegerField(default=0)),
                (
                    "repeats",
                    models.PositiveBigIntegerField(
                        default=0,
                        help_text="How often a pair was given again, within the grace or later.",
                    ),
                ),
                ("reuses", models.PositiveBigIntegerField(default=0)),
                ("revocations", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="PruneRun",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("started_at", InstantField()),
                (
                    "finished_at",
                    InstantField(
                        blank=True,
                        help_text="Empty while it runs, and if it was killed.",
                        null=True,
                    ),
                ),
                (
                    "complete",
                    models.BooleanField(
                        default=False,
                        help_text="Whether nothing was left to delete when it finished.",
                    ),
                ),
                (
                    "deleted",
                    models.JSONField(default=dict, help_text="The number of deleted rows by kind."),
                ),
            ],
            options={
                "default_permissions": ("view",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="pruning_has_one_row"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                (
                    "kid",
                    models.CharField(
                        max_length=64, primary_key=True, serialize=False, verbose_name="kid"
                    ),
                ),
                ("algorithm", models.CharField(max_length=8, verbose_name="algorithm")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("signing", "signs"),
                            ("next", "published, will sign next"),
                            ("retired", "only verifies"),
                            ("revoked", "revoked"),
                        ],
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                (
                    "sealed",
                    models.TextField(blank=True, editable=False, help_text="Empty once revoked."),
                ),
                ("created_at", InstantField()),
                ("signs_since", InstantField(blank=True, null=True)),
                (
                    "retired_at",
                    InstantField(
                        blank=True,
                        help_text="When it stopped signing, or was revoked unused.",
                        null=True,
                    ),
                ),
                ("verifies_until", InstantField(blank=True, null=True)),
                (
                    "longest_life",
                    models.DurationField(
                        editable=False,
                        help_text="No token that this key signed has a longer lifetime.",
                    ),
                ),
            ],
            options={
                "verbose_name": "signing key",
                "verbose_name_plural": "signing keys",
                "permissions": [("rotate_signingkey", "Can rotate signing keys")],
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["next", "signing"])),
                        fields=("state",),
                        name="one_key_signs_and_one_is_next",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("signs_since", None), ("state", "next"), ("verifies_until", None)
                            ),
                            models.Q(
                                ("signs_since__isnull", False),
                                ("state", "signing"),
                                ("verifies_until", None),
                            ),
                            models.Q(
                                ("retired_at__isnull", False),
                                ("state__in", ["retired", "revoked"]),
                                ("verifies_until__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="key_has_the_instants_of_its_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sealed", ""), ("state", "revoked")),
                            models.Q(
                                models.Q(("state", "revoked"), _negated=True),
                                models.Q(("sealed", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="key_is_erased_when_revoked",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeniedToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("value", models.CharField(max_length=64, unique=True, verbose_name="value")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("jti", "token"),
                            ("sid", "session"),
                            ("kid", "key"),
                            ("ask", "tokens to look up"),
                            ("cut", "all sessions before an instant"),
                        ],
                        max_length=3,
                        verbose_name="kind",
                    ),
                ),
                ("reason", models.CharField(max_length=200)),
                ("denied_at", InstantField()),
                ("until", InstantField()),
                (
                    "issued_before",
                    InstantField(
                        blank=True,
                        help_text="A cut-off: sessions that began earlier are refused.",
                        null=True,
                    ),
                ),
                (
                    "nonce",
                    models.BigIntegerField(
                        default=new_nonce,
                        editable=False,
                        help_text="Random. By their sum, a process sees that it has read all rows.",
                    ),
                ),
                (
                    "denied_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="The staff member. Empty if no staff member denied it.",
                        verbose_name="denied by",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        help_text="The owner. Empty for a key, and after the user is deleted.",
                        verbose_name="user",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "denial",
                "verbose_name_plural": "denylist",
                "permissions": [("deny_token", "Can deny tokens")],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["kind", "-id"], name="denied_kind"),
                    models.Index(fields=["until", "id", "nonce"], name="denied_until"),
                    models.Index(
                        condition=models.Q(("denied_by__isnull", False)),
                        fields=["denied_by"],
                        name="denied_by_staff",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["jti", "sid", "kid", "ask", "cut"]),
                            models.Q(("value", ""), _negated=True),
                        ),
                        name="denial_names_an_id",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("issued_before__isnull", False), ("kind", "cut")),
                            models.Q(
                                models.Q(("kind", "cut"), _negated=True), ("issued_before", None)
                            ),
                            _connector="OR",
                        ),
                        name="cut_off_has_an_instant",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("pair", "tokens"),
                            ("access", "access token"),
                            ("django", "Django session"),
                        ],
                        default="pair",
                        editable=False,
                        max_length=6,
                    ),
                ),
                (
                    "device_name",
                    models.CharField(
                        blank=True,
                        help_text="The name that the user has given to the device.",
                        max_length=60,
                    ),
                ),
                ("generation", models.PositiveIntegerField(default=0, verbose_name="generation")),
                (
                    "first_generation",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="The first generation since the user last changed the password.",
                    ),
                ),
                (
                    "proven_generation",
                    models.PositiveIntegerField(
                        default=0,
                        editable=False,
                        help_text="The current generation when a successor of the first refresh token came first.",
                    ),
                ),
                (
                    "kid",
                    models.CharField(
                        help_text="The key that signed the current refresh token.",
                        max_length=64,
                        verbose_name="kid",
                    ),
                ),
                (
                    "auth_hash",
                    models.CharField(
                        editable=False,
                        help_text="The user's session auth hash at sign-in. Another hash ends the session.",
                        max_length=128,
                    ),
                ),
                ("claims", models.JSONField(blank=True, default=dict)),
                (
                    "status_index",
                    models.CharField(
                        blank=True,
                        editable=False,
                        help_text="Where other services find the status. Empty: nowhere.",
                        max_length=64,
                    ),
                ),
                (
                    "idle_lifetime",
                    models.DurationField(
                        blank=True, help_text="Empty: TOKENS_REFRESH_LIFETIME.", null=True
                    ),
                ),
                ("started_at", InstantField()),
                ("refreshed_at", InstantField()),
                ("idle_until", InstantField(help_text="When the refresh token expires.")),
                ("expires_at", InstantField(help_text="The absolute limit.")),
                ("ended_at", InstantField(blank=True, null=True)),
                (
                    "end_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("logout", "signed out"),
                            ("revoked", "revoked"),
                            ("reuse", "a refresh token was used again"),
                            ("password_changed", "password changed"),
                            ("user_inactive", "user deactivated"),
                            ("user_deleted", "user deleted"),
                            ("over_limit", "too many sessions"),
                        ],
                        max_length=20,
                    ),
                ),
                ("ip_address", models.GenericIPAddressField(blank=True, null=True)),
                (
                    "user_agent",
                    models.CharField(blank=True, max_length=400, verbose_name="user agent"),
                ),
                ("refreshed_ip_address", models.GenericIPAddressField(blank=True, null=True)),
                ("refreshed_user_agent", models.CharField(blank=True, max_length=400)),
                (
                    "seen",
                    models.BooleanField(
                        default=False,
                        help_text="Whether a token of this generation was seen in use.",
                    ),
                ),
                (
                    "repeats",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="How often the current pair was given again.",
                        verbose_name="repeats",
                    ),
                ),
                (
                    "repeats_elsewhere",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="How often to another network and user agent.",
                        verbose_name="repeats elsewhere",
                    ),
                ),
                (
                    "repeated_at",
                    InstantField(
                        blank=True,
                        help_text="When the current pair was last given again.",
                        null=True,
                    ),
                ),
                (
                    "is_late_answer_possible",
                    models.BooleanField(
                        default=False,
                        help_text="Whether the former pair was given again shortly before the rotation.",
                    ),
                ),
                ("ended_ip_address", models.GenericIPAddressField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="token_sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "base_manager_name": "objects",
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "permissions": [
                    ("revoke_session", "Can revoke sessions"),
                    ("introspect_token", "Can introspect tokens"),
                ],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["user", "-started_at"], name="session_user"),
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["user"],
                        name="session_open",
                    ),
                    models.Index(fields=["-started_at"], name="session_started"),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", False)),
                        fields=["-ended_at"],
                        name="session_ended",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", False)),
                        fields=["end_reason", "-ended_at"],
                        name="session_end_reason",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at", None)),
                        fields=["expires_at"],
                        name="session_prune_expired",
                    ),
                    models.Index(
                        condition=models.Q(("kind", "access")),
                        fields=["expires_at"],
                        name="session_alone",
                    ),
                    models.Index(fields=["ip_address", "-started_at"], name="session_address"),
                    models.Index(
                        condition=models.Q(("ended_ip_address__isnull", False)),
                        fields=["ended_ip_address", "-ended_at"],
                        name="session_ended_address",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("end_reason", ""), ("ended_at", None)),
                            models.Q(
                                (
                                    "end_reason__in",
                                    [
                                        "logout",
                                        "revoked",
                                        "reuse",
                                        "password_changed",
                                        "user_inactive",
                                        "user_deleted",
                                        "over_limit",
                                    ],
                                ),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="session_ends_with_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("idle_until__lte", models.F("expires_at"))),
                        name="session_idles_within_its_limit",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("first_generation__lte", models.F("generation"))),
                        name="session_has_its_first_generation",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["pair", "access", "django"])),
                        name="session_has_a_known_kind",
                    ),
                ],
            },
        ),
        migrations.RunPython(leave_room_for_rotations, migrations.RunPython.noop),
        migrations.RunPython(skip_indexes_for_like, migrations.RunPython.noop),
    ]

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tokens", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="signingkey",
            name="a_retired_key_has_an_end",
        ),
        migrations.AddField(
            model_name="signingkey",
            name="retired_at",
            field=models.DateTimeField(
                blank=True, help_text="When it stopped signing, or was revoked unused.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="signingkey",
            name="sealed",
            field=models.TextField(blank=True, editable=False, help_text="Empty once revoked."),
        ),
        migrations.AlterField(
            model_name="signingkey",
            name="state",
            field=models.CharField(
                choices=[
                    ("signing", "signs"),
                    ("next", "published, will sign next"),
                    ("retired", "only verifies"),
                    ("revoked", "revoked"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["retired", "revoked"]), _negated=True),
                    ("verifies_until__isnull", False),
                    _connector="OR",
                ),
                name="a_key_that_no_longer_signs_has_an_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "revoked"), _negated=True), ("sealed", ""), _connector="OR"
                ),
                name="a_revoked_key_is_erased",
            ),
        ),
        migrations.AlterModelOptions(
            name="deniedtoken",
            options={
                "default_permissions": ("view",),
                "permissions": [("deny_token", "Can deny tokens")],
                "verbose_name": "denial",
                "verbose_name_plural": "denylist",
            },
        ),
        migrations.AddIndex(
            model_name="deniedtoken",
            index=models.Index(fields=["kind", "-id"], name="denied_kind"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["-started_at"], name="session_started"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("ended_at", None)), fields=["-started_at"], name="session_open"
            ),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False)),
                fields=["-ended_at"],
                name="session_ended",
            ),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False)),
                fields=["end_reason", "-ended_at"],
                name="session_end_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(fields=["ip_address", "-started_at"], name="session_address"),
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("ended_ip_address__isnull", False)),
                fields=["ended_ip_address", "-ended_at"],
                name="session_ended_address",
            ),
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
                ("started_at", models.DateTimeField()),
                (
                    "finished_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="Empty while it runs, and when it was killed.",
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
                    models.JSONField(default=dict, help_text="How many rows of each kind."),
                ),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.AddIndex(
            model_name="session",
            index=models.Index(
                condition=models.Q(("ended_at", None)),
                fields=["expires_at"],
                name="session_prune_expired",
            ),
        ),
        migrations.AddConstraint(
            model_name="prunerun",
            constraint=models.CheckConstraint(
                condition=models.Q(("id", 1)), name="pruning_has_one_row"
            ),
        ),
        # Counted anew: a row of the former table mattered for a day at most.
        migrations.DeleteModel(name="ThrottleCount"),
        migrations.CreateModel(
            name="ThrottleCount",
            fields=[
                ("caller", models.CharField(max_length=120, primary_key=True, serialize=False)),
                (
                    "clear_at",
                    models.BigIntegerField(
                        db_index=True,
                        help_text="In microseconds since 1970, when nothing counts any more.",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
    ]

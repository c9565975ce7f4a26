import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from ...models import InstantField


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Switch",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("opened_at", InstantField()),
                (
                    "cut_over_at",
                    InstantField(help_text="No token that was issued later is accepted."),
                ),
                ("closes_at", InstantField(help_text="When the last of the tokens has expired.")),
                ("closed_at", InstantField(null=True)),
                ("users_known_at", InstantField(null=True)),
                ("has_blacklist", models.BooleanField(default=False)),
                (
                    "public_key",
                    models.TextField(blank=True, help_text="The key that JWK_URL had, as PEM."),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="takeover_has_one_switch"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AdoptedToken",
            fields=[
                ("sid", models.UUIDField(primary_key=True, serialize=False)),
                ("is_refresh", models.BooleanField()),
                ("used_at", InstantField(help_text="When the token was last shown.", null=True)),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["is_refresh", "used_at"], name="takeover_used")],
            },
        ),
    ]

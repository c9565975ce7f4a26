from django.db import migrations, models

from ...models import InstantField


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="FeedReader",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="The service that gets the key.",
                        max_length=100,
                        verbose_name="name",
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("created_at", InstantField(verbose_name="created")),
                ("last_used_at", InstantField(blank=True, null=True, verbose_name="last used")),
                ("revoked_at", InstantField(blank=True, null=True, verbose_name="revoked")),
            ],
            options={
                "verbose_name": "reader of the feed",
                "verbose_name_plural": "readers of the feed",
                "permissions": [
                    ("change_feedreaders", "Can create and revoke readers of the feed")
                ],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Epoch",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=32)),
                ("began_at", InstantField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="feed_has_one_epoch")
                ],
            },
        ),
    ]

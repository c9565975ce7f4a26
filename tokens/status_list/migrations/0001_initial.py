from django.db import migrations, models

from ...models import InstantField


class Migration(migrations.Migration):
    initial = True

    operations = [
        migrations.CreateModel(
            name="Block",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("seed", models.BinaryField(max_length=16)),
                ("taken", models.PositiveIntegerField(default=0)),
                (
                    "holder",
                    models.CharField(help_text="Random: whose UPDATE was the last.", max_length=32),
                ),
                ("opened_at", InstantField()),
                (
                    "until",
                    InstantField(
                        help_text="When the last session with one of the indices expires."
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["until"], name="status_block_until")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("taken__lte", 65536)),
                        name="status_block_has_so_many_indices",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RefusedIndex",
            fields=[
                ("index", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "until",
                    InstantField(help_text="When the last token with this index expires."),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["until"], name="status_refused_until")],
            },
        ),
    ]

from django.db import migrations, models

from ...models import InstantField


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Ticket",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("method", models.CharField(max_length=16)),
                (
                    "path",
                    models.TextField(
                        help_text="As request.path is: decoded, and without the query."
                    ),
                ),
                ("claims", models.JSONField()),
                ("expires_at", InstantField(db_index=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
    ]

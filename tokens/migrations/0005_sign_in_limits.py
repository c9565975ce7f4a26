from django.db import migrations, models


class Migration(migrations.Migration):
    """Count anew: a row of the former table mattered for a day at most."""

    dependencies = [
        ("tokens", "0004_pruning"),
    ]

    operations = [
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

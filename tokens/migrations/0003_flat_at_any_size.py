import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def drop_unused_indexes(apps, schema_editor):
    """
    Drop what Django makes for every column of its kind and nothing here reads (decision 20).

    That is the index for LIKE beside a unique text column on PostgreSQL, and the index of a
    foreign key that is nearly always empty, which denied_by_staff replaces.
    """
    connection = schema_editor.connection
    wanted = [("DeniedToken", "denied_by_id", ""), ("DeniedToken", "value", "_like")]
    wanted += [("ThrottleCount", "caller", "_like")]
    with connection.cursor() as cursor:
        for name, column, ending in wanted:
            table = apps.get_model("tokens", name)._meta.db_table
            found = connection.introspection.get_constraints(cursor, table)
            for index, one in found.items():
                plain = one["index"] and not one["unique"] and one["columns"] == [column]
                if plain and index != "denied_by_staff" and index.endswith(ending):
                    schema_editor.execute(f"DROP INDEX {connection.ops.quote_name(index)}")


def leave_room_for_rotations(apps, schema_editor):
    """Let a rotation find room in its row's own page, so that it writes no index (decision 20)."""
    if schema_editor.connection.vendor == "postgresql":
        table = schema_editor.quote_name(apps.get_model("tokens", "Session")._meta.db_table)
        schema_editor.execute(f"ALTER TABLE {table} SET (fillfactor = 90)")


def fill_pages(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        table = schema_editor.quote_name(apps.get_model("tokens", "Session")._meta.db_table)
        schema_editor.execute(f"ALTER TABLE {table} RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [
        ("tokens", "0002_rotation_admin_pruning_limits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(model_name="session", name="session_open"),
        migrations.AddField(
            model_name="signingkey",
            name="longest_life",
            field=models.DurationField(
                editable=False,
                help_text="No token that it signed lives longer; empty where nobody wrote that down.",
                null=True,
            ),
        ),
        # Not by AlterField, for which SQLite would write the whole table anew.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="deniedtoken",
                    name="denied_by",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Empty when nobody of the staff did.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.RunPython(leave_room_for_rotations, fill_pages),
        migrations.RunPython(drop_unused_indexes, migrations.RunPython.noop, elidable=False),
        migrations.AddIndex(
            model_name="deniedtoken",
            index=models.Index(
                condition=models.Q(("denied_by__isnull", False)),
                fields=["denied_by"],
                name="denied_by_staff",
            ),
        ),
    ]

"""
Django's ``flush`` without making content types and permissions anew, which takes most of its time.

They are those of the models, so no test changes them.
"""

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.commands import flush
from django.db import connections, transaction
from django.db.models.signals import post_migrate

KEPT = {ContentType._meta.db_table, Permission._meta.db_table}


class Command(flush.Command):
    def handle(self, **options: Any) -> None:
        """Delete every other row, and let ``tokens`` create its first keys and its group."""
        using = options["database"]
        connection = connections[using]
        tables = connection.introspection.django_table_names(
            only_existing=True, include_views=False
        )
        with transaction.atomic(using=using), connection.cursor() as cursor:
            for table in sorted(set(tables) - KEPT):
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
        config = apps.get_app_config("tokens")
        post_migrate.send(
            sender=config, app_config=config, verbosity=0, interactive=False, using=using
        )

"""Make the tables, two tenants, and in each a user with the same primary key, name and password."""

import os

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django_tenants.utils import schema_context  # noqa: E402

from tests.projects.tenants.models import Domain, Tenant  # noqa: E402

PASSWORD = "correct horse battery staple"


def main() -> None:
    call_command("migrate_schemas", shared=True, verbosity=0)
    for name in ("one", "two"):
        tenant = Tenant(schema_name=name, name=name)
        tenant.save(verbosity=0)
        Domain.objects.create(domain=f"{name}.localhost", tenant=tenant, is_primary=True)
        with schema_context("public" if os.environ["LAYOUT"] == "shared" else name):
            users = get_user_model().objects
            if not users.exists():
                users.create_user("ada", f"ada@{name}.example", PASSWORD, pk=1)
    call_command("check", fail_level="WARNING")
    print("agreed")  # noqa: T201


main()

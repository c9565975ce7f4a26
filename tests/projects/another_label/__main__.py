"""Run the story with the app under the label ``latchkey``, beside an app labelled ``tokens``."""

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import Permission  # noqa: E402
from django.db import connection  # noqa: E402

from tests.projects import story  # noqa: E402
from tests.projects.another_label.tickets.models import Session as Ticket  # noqa: E402


def main() -> None:
    story.run(label="latchkey")
    tables = {model._meta.db_table for model in apps.get_app_config("latchkey").get_models()}
    assert all(table.startswith("latchkey_") for table in tables), tables
    assert tables < set(connection.introspection.table_names())
    own = Permission.objects.filter(content_type__app_label="tokens")
    assert set(own.values_list("content_type__model", flat=True)) == {"session"}
    assert not own.filter(codename="revoke_session").exists()
    assert Ticket._meta.db_table == "tokens_session"
    assert not Ticket._default_manager.exists()
    root = get_user_model().objects.create_superuser("root")
    Ticket._default_manager.create(speaker="Grace Hopper")
    page = story.assert_answers("admin:tokens_session_changelist", user=root)
    assert "Grace Hopper" in page
    assert "tokens/admin.css" not in page, "The page of the other app uses a template of this one."
    print("agreed")  # noqa: T201


main()

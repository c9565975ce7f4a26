"""Run the checks and migrations of a project that lists simplejwt's apps, and look where they are from."""

import sys
from pathlib import Path

import django

django.setup()


def main() -> None:
    from django.apps import apps
    from django.core.management import call_command
    from django.db.migrations.recorder import MigrationRecorder

    call_command("migrate", verbosity=0)
    call_command("makemigrations", check_changes=True, dry_run=True)
    call_command("check", fail_level="WARNING")
    labels = {apps.get_app_config(name).name for name in ("token_blacklist", "simplejwt_names")}
    assert labels == {"rest_framework_simplejwt.token_blacklist", "tokens.simplejwt_names"}
    applied = MigrationRecorder.Migration.objects.filter(app="token_blacklist")
    assert list(applied.values_list("name", flat=True)) == ["0001_initial"]
    ours = Path(sys.modules["tokens"].__file__ or "").parent
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] == "rest_framework_simplejwt" and module.__file__:
            assert ours in Path(module.__file__).parents, name
    print("agreed")  # noqa: T201


if __name__ == "__main__":
    main()

"""Print what each project answers, as JSON by the name of the project."""

import json
import os
import shutil
import sys
import tempfile
from io import StringIO
from pathlib import Path

# So that not every child imports them anew. They do not read the settings.
import cryptography.hazmat.primitives.asymmetric.rsa  # noqa: F401
import django
import django.db.backends.sqlite3.base
import django.test
import jwt  # noqa: F401
import psycopg  # noqa: F401
import ua_parser
from django.core.management import call_command


def main() -> None:
    ua_parser.parse("Firefox")
    with tempfile.TemporaryDirectory() as folder:
        from tests.projects.defaults.variants import NAMES

        _in_child(_migrate, f"{folder}/empty")
        found = {}
        for number, name in enumerate(sys.argv[1:] or NAMES):
            os.environ["VARIANT"], database = name, f"{folder}/{number}"
            shutil.copy(f"{folder}/empty", database)
            _in_child(_write_answers, database)
            found[name] = json.loads(Path(f"{database}.json").read_text())
    print(json.dumps(found))  # noqa: T201


def _in_child(function: object, database: str) -> None:
    """Run the function in a process that has not loaded any settings yet."""
    os.environ["DATABASE"] = database
    if child := os.fork():
        if os.waitpid(child, 0)[1]:
            sys.exit(f"The project failed: {os.environ.get('VARIANT')}")
        return
    django.setup()
    function(database)  # type: ignore[operator]
    sys.stdout.flush()
    os._exit(0)


def _migrate(database: str) -> None:
    call_command("migrate", verbosity=0)


def _write_answers(database: str) -> None:
    from tests.projects.defaults.doors import answers
    from tests.projects.defaults.variants import DRF_SCHEMA

    if os.environ["VARIANT"] == DRF_SCHEMA:
        call_command("generateschema", stdout=StringIO())
    Path(f"{database}.json").write_text(json.dumps(answers()))


main()

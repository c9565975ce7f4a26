"""
``make serve``: serve the site as in production, under gunicorn, after checking that it can run.

Changes nothing but the collected static files. It never migrates; the operator decides that.
"""

import os
import re
import sys

from .env import Environment
from .quickstart import HOST, ROOT, read_port, refuse_taken, say, set_up_django


def main() -> None:
    if "BIND" not in os.environ:
        port = read_port(os.environ.get("PORT", "8000"))
        refuse_taken(port, command="make serve")
        os.environ["BIND"] = f"{HOST}:{port}"
    read_workers(os.environ.get("WEB_CONCURRENCY") or None)
    application = f"config.{read_server()}"
    set_up_django()
    refuse_debug()
    refuse_unmigrated()
    refuse_failed_checks()
    collect_static_files()
    say(
        f"Serving on {os.environ['BIND']}. Ctrl-C stops it. kill -HUP {os.getpid()} reloads it "
        "without losing a request."
    )
    command = [sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn_conf", application]
    os.chdir(ROOT)
    # With exec, the signals of a service manager reach gunicorn itself.
    os.execv(sys.executable, command)  # noqa: S606


def read_workers(text: str | None) -> None:
    """Exit with a message if this is not a number of processes from 1 to 999."""
    if text is not None and not re.fullmatch(r"[1-9][0-9]{0,2}", text):
        sys.exit(f"WEB_CONCURRENCY is {text!r}. It may be a number of processes from 1 to 999.")


def read_server() -> str:
    """Return wsgi or asgi. Exit with a message if SERVER is neither."""
    from django.core.exceptions import ImproperlyConfigured

    try:
        return Environment().server()
    except ImproperlyConfigured as error:
        sys.exit(f"{error}\nSet it in .env or in the environment.")


def refuse_debug() -> None:
    from django.conf import settings

    if settings.DEBUG:
        sys.exit(
            "DEBUG is true, which shows error details to any client. Set DEBUG=false in .env "
            'and serve behind a proxy with TLS, or run "make run" to try the project.'
        )


def refuse_unmigrated() -> None:
    from django.core.management import call_command
    from django.db import DatabaseError

    try:
        call_command("migrate", check_unapplied=True, verbosity=0)
    except DatabaseError as error:
        sys.exit(
            f"The database does not answer: {str(error).rstrip()}\n"
            "Is DATABASE_URL right, and is the database running?"
        )
    except SystemExit:
        sys.exit('The database lacks migrations. Run ".venv/bin/python manage.py migrate" first.')


def refuse_failed_checks() -> None:
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    try:
        # Warnings are only printed; an error stops the start.
        call_command("check", deploy=True)
    except SystemCheckError as error:
        sys.exit(str(error))


def collect_static_files() -> None:
    from django.conf import settings
    from django.core.management import call_command

    folder = settings.STATIC_ROOT
    if os.path.isdir(folder) and not os.access(folder, os.W_OK):
        return  # An image has them already, and its user may not write to it.
    call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)

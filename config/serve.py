"""
``make serve``: the site as in production, under gunicorn, with what a start can find out checked.

It changes nothing but the collected static files: migrating is a decision of its own.
"""

import os
import re
import sys

from .quickstart import HOST, ROOT, read_port, refuse_taken, say, set_up_django


def main() -> None:
    if "BIND" not in os.environ:
        port = read_port(os.environ.get("PORT", "8000"))
        refuse_taken(port, command="make serve")
        os.environ["BIND"] = f"{HOST}:{port}"
    read_workers(os.environ.get("WEB_CONCURRENCY") or None)
    set_up_django()
    refuse_debug()
    refuse_unmigrated()
    refuse_failed_checks()
    collect_static_files()
    say(
        f"Serving on {os.environ['BIND']}. Ctrl-C stops it; kill -HUP {os.getpid()} reloads it and "
        "loses no request."
    )
    command = [sys.executable, "-m", "gunicorn", "-c", "python:config.gunicorn_conf", "config.wsgi"]
    os.chdir(ROOT)
    # exec: signals then reach gunicorn itself, as service managers send them.
    os.execv(sys.executable, command)  # noqa: S606


def read_workers(text: str | None) -> None:
    """Exit with a sentence for a number of processes that serves nobody."""
    if text is not None and not re.fullmatch(r"[1-9][0-9]{0,2}", text):
        sys.exit(f"WEB_CONCURRENCY is {text!r}. It may be a number of processes from 1 to 999.")


def refuse_debug() -> None:
    from django.conf import settings

    if settings.DEBUG:
        sys.exit(
            "DEBUG is true, which shows strangers the causes of errors. Set DEBUG=false in .env, as "
            'behind a proxy with TLS, or type "make run" to try things out.'
        )


def refuse_unmigrated() -> None:
    from django.core.management import call_command
    from django.db import DatabaseError

    try:
        call_command("migrate", check_unapplied=True, verbosity=0)
    except DatabaseError as error:
        sys.exit(
            f"The database does not answer: {error}. Is DATABASE_URL right, and is it running?"
        )
    except SystemExit:
        sys.exit('The database lacks migrations. Run ".venv/bin/python manage.py migrate" first.')


def refuse_failed_checks() -> None:
    from django.core.management import call_command
    from django.core.management.base import SystemCheckError

    try:
        # Warnings are printed and let through; errors are not.
        call_command("check", deploy=True)
    except SystemCheckError as error:
        sys.exit(str(error))


def collect_static_files() -> None:
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)

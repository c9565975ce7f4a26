"""
``make run``: set the project up if that has not been done, and serve it.

The first run makes ``.env``, the database, the first signing key and an administrator, and prints
the administrator's password once. A later run changes nothing that exists.
"""

import os
import re
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parent.parent

ADDRESSES = """
  http://{at}/            the first page, with requests to try
  http://{at}/admin/      the admin: users, sessions, denylist, keys
  http://{at}/api/me/     the browsable API
  http://{at}/api/docs/   the documentation of every request and answer
"""

FIRST_RUN = """
The administrator is "{username}" with the password

  {password}

It is printed only once. To set another, run `.venv/bin/python manage.py changepassword {username}`.
Sign in from another terminal:

  curl -s http://{at}/api/token/ \\
    -H 'Content-Type: application/json' \\
    -d '{{"username": "{username}", "password": "{password}"}}'
"""

LATER_RUN = """
To set a new administrator's password, run `.venv/bin/python manage.py changepassword admin`.
"""


def main() -> None:
    port = read_port(os.environ.get("PORT", "8000"))
    refuse_taken(port)
    if make_env_file(ROOT / ".env", example=ROOT / ".env.example"):
        say("Made .env with fresh secrets. Only you can read it.")
    set_up_django()
    migrate()
    password = create_first_administrator("admin")
    at = f"{HOST}:{port}"
    say(ADDRESSES.format(at=at))
    if password:
        say(FIRST_RUN.format(at=at, username="admin", password=password))
    else:
        say(LATER_RUN)
    serve(at)


def say(text: str) -> None:
    print(text, flush=True)


def read_port(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,5}", text) and 0 < int(text) < 65536:
        return int(text)
    sys.exit(f"PORT is {text!r}. It may be a number from 1 to 65535, such as PORT=8001.")


def refuse_taken(port: int, *, command: str = "make run") -> None:
    """Exit with a message if another process listens on ``port``, before anything is created."""
    with socket.socket() as probe:
        # The server sets it too: a port whose last connections are in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            sys.exit(
                f"Port {port} of {HOST} cannot be used: {error.strerror}. "
                f"Stop the process that uses it, or choose another port: {command} PORT={port + 1}"
            )


def make_env_file(path: Path, *, example: Path) -> bool:
    """Write ``path`` from ``example`` with fresh secrets. Return whether it did not exist yet."""
    text = example.read_text()
    for name in ("SECRET_KEY", "TOKEN_SECRET"):
        text = re.sub(rf"^{name}=$", f"{name}={secrets.token_urlsafe(48)}", text, flags=re.M)
    text = re.sub(r"^DEBUG=false$", "DEBUG=true", text, flags=re.M)
    try:
        # The file is never readable by others, not even briefly, and never replaces another.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        sys.exit(f"{path} cannot be written: {error.strerror}. May you write to its folder?")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return True


def set_up_django() -> None:
    import django
    from django.core.exceptions import ImproperlyConfigured

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        django.setup()
    except ImproperlyConfigured as error:
        sys.exit(f"{error}\nSet it in .env or in the environment.")


def migrate() -> None:
    from django.core.management import call_command
    from django.db import OperationalError

    try:
        call_command("migrate", verbosity=0)
    except OperationalError as error:
        sys.exit(
            f"The database does not answer: {str(error).rstrip()}\n"
            "Is DATABASE_URL right, and is the database running?"
        )


def create_first_administrator(username: str) -> str | None:
    """
    Create an administrator if there is no user, and return its generated password.

    Return None if there is a user.
    """
    from django.contrib.auth import get_user_model

    users: Any = get_user_model()._default_manager
    if users.exists():
        return None
    password = secrets.token_urlsafe(15)
    users.create_superuser(username, f"{username}@example.org", password)
    return password


def serve(at: str) -> None:
    """Replace this process by Django's development server."""
    command = [sys.executable, str(ROOT / "manage.py"), "runserver", at]
    # With exec, Ctrl-C reaches only one process, and ends it as usual.
    os.execv(sys.executable, command)  # noqa: S606


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)

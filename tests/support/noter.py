"""
Note that a session was seen in use, then another one in a forked child: ``python -m … SID SID``.

Exits with 0 when the parent and the child have each read its own note back from the table.
"""

import os
import sys
import time
import warnings
from uuid import UUID

import django
from django.db import connection

PATIENCE = 60  # seconds


def note(sid: str) -> bool:
    """Note generation 0 of the session, and return whether the thread has written it."""
    from tokens.models import Session
    from tokens.sessions import seen

    seen.note(UUID(sid), 0)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if Session.objects.get(pk=sid).seen:
            return True
        time.sleep(0.05)
    return False


def disconnect() -> None:
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()  # type: ignore[attr-defined]


def main(parents: str, childs: str) -> int:
    if not note(parents):
        return 1
    disconnect()
    # Python warns of what is tried here: a fork beside a thread.
    warnings.simplefilter("ignore", DeprecationWarning)
    child = os.fork()
    if child == 0:
        os._exit(0 if note(childs) else 2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    django.setup()
    sys.exit(main(*sys.argv[1:]))

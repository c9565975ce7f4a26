"""Create the file of an SQLite database so that only its owner can read it."""

import os
import sqlite3
from contextlib import suppress
from threading import Lock
from typing import Any

OWNER_ONLY = 0o600
_creating = Lock()


class OwnersConnection(sqlite3.Connection):
    """
    A connection that creates a missing database file before SQLite does, with the mode OWNER_ONLY.

    SQLite gives its log and its index, ``-wal`` and ``-shm``, the mode of the database. A umask would
    apply to the other files of the process too, such as collected static files.
    """

    def __init__(self, database: Any, *args: Any, **kwargs: Any) -> None:
        create_file(os.fspath(database))
        super().__init__(database, *args, **kwargs)


def create_file(path: str) -> None:
    """
    Create an empty file, which is an empty database. A file that exists is not opened or changed.

    If that fails, such as in a folder that is missing or read-only, SQLite itself reports it.
    """
    if not path or path == ":memory:" or path.startswith("file:"):
        return
    # Closing a file drops every lock that this process holds on it, so no other thread may connect
    # before the new file is closed.
    with _creating, suppress(OSError):
        # The real path, because O_EXCL refuses a link to a file that is missing.
        real_path = os.path.realpath(path)
        os.close(os.open(real_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))

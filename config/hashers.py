"""Argon2 in threads of low priority, so that sign-ins delay other requests less."""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.contrib.auth.hashers import Argon2PasswordHasher

from tokens.secret import hides_locals

Result = TypeVar("Result")

# How far below other threads (nice): those get nine times as much of a processor that both want.
LOWER = 10
# TOKENS_PASSWORD_CHECKS decides how many passwords are checked at once. This many threads are made at
# most, as they are needed.
MOST_THREADS = 32


class LowPriorityArgon2PasswordHasher(Argon2PasswordHasher):
    """
    Django's Argon2, with the same hashes.

    A hash keeps every processor busy for a tenth of a second. With the same priority, a few sign-ins
    at once delay all other requests of the machine.
    """

    def encode(self, password: str, salt: str) -> str:
        return _run(lambda: Argon2PasswordHasher.encode(self, password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        return _run(lambda: Argon2PasswordHasher.verify(self, password, encoded))


@hides_locals
def _run(work: Callable[[], Result]) -> Result:
    """Return ``work()`` from a thread of low priority."""
    global _threads
    if _threads is None:
        _threads = ThreadPoolExecutor(MOST_THREADS, "password", initializer=_lower_priority)
    return _threads.submit(work).result()


def _lower_priority() -> None:
    # On Linux each thread has a priority of its own, and those that Argon2 starts inherit it.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWER)


def _forget() -> None:
    """Make threads anew: a forked process has none of its parent's."""
    global _threads
    _threads = None


_threads: ThreadPoolExecutor | None = None
os.register_at_fork(after_in_child=_forget)

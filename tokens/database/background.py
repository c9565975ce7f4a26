"""
A thread that writes what requests have noted, so that no request waits for the write.

Notes are kept in memory and written in batches, each by one statement. A killed process loses the notes
that it has not written, so use this only for what may be lost.
"""

import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import close_old_connections

_are_allowed = True


@contextmanager
def without_threads() -> Iterator[None]:
    """Let only ``flush`` write notes: a thread does not see the transaction of a test."""
    global _are_allowed
    former, _are_allowed = _are_allowed, False
    try:
        yield
    finally:
        _are_allowed = former


def forbid_threads() -> None:
    """Let only ``flush`` write the notes of this process from now on."""
    global _are_allowed
    _are_allowed = False


def allows_threads() -> bool:
    """Return whether this process may have threads that use the database."""
    return _are_allowed


class Writer(ABC):
    """Notes, and the thread that writes them. Safe among threads and after a fork."""

    name = "tokens-writer"
    fork_waits = 5.0  # seconds at most that a fork waits for the thread
    has_thread: bool | None = None  # None: as the process allows it

    def __init__(self) -> None:
        self._begin()
        # A fork waits until the thread has written: if the thread is inside SQLite, which has locks of
        # its own, the child would hold those locks for ever.
        os.register_at_fork(
            before=self._before_fork,
            after_in_parent=self._after_fork,
            after_in_child=self._begin,
        )

    @property
    @abstractmethod
    def interval(self) -> float:
        """Seconds between two statements of this process."""

    @abstractmethod
    def is_pending(self) -> bool:
        """Return whether there is something to write."""

    @abstractmethod
    def flush(self) -> None:
        """Write the notes in the caller's thread. An error loses them, and is not raised."""

    def _begin(self) -> None:
        # Neither the thread nor the owner of a held lock survives a fork. The parent writes its own
        # notes.
        self._lock = threading.Lock()
        self._working = threading.Lock()
        self._due = threading.Event()
        self._thread: threading.Thread | None = None

    def _before_fork(self) -> None:
        self._waited = self._working.acquire(timeout=self.fork_waits)

    def _after_fork(self) -> None:
        if self._waited:
            self._working.release()

    def may_have_thread(self) -> bool:
        return _are_allowed if self.has_thread is None else self.has_thread

    def wake(self) -> None:
        """Let the thread write soon. If there is none, start it."""
        if not self.may_have_thread():
            return
        if self._thread is None:
            self._start_thread()
        self._due.set()

    def _start_thread(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            with self._working:
                self.flush()
                # As Django does after a request. A pooled connection goes back to its pool, so that
                # it keeps neither a request waiting nor a test database from being dropped.
                close_old_connections()
            time.sleep(self.interval)
            if self.is_pending():
                self._due.set()

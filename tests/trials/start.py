"""Set a process of the trials up. Import nothing here that needs Django to be set up."""

from threading import Barrier

import django

_barrier: Barrier | None = None


def set_up() -> None:
    """Set Django up, with no thread for ``seen``: on a virtual clock ``seen.flush()`` is called."""
    django.setup()
    from tokens.database.background import forbid_threads

    forbid_threads()


def set_member_up(barrier: Barrier) -> None:
    """Set a process up that meets others at the barrier, which can only be inherited."""
    global _barrier
    _barrier = barrier
    set_up()


def barrier() -> Barrier:
    assert _barrier, "This process has no barrier."
    return _barrier

"""
How many passwords this process checks at once.

Checking a password takes a tenth of a second and 100 MB by design. Without a bound, a few connections
with wrong passwords would take the memory and the processors from all other requests.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from logging import WARNING

from .. import signals
from ..client import current_client
from ..conf import conf
from ..errors import TooManyAtOnce

# Places for attempts that have a ``Way`` in (see ``admission``), and for a signed-in user's password.
RESERVED = 1
# A waiting request keeps a thread from answering others, so few wait, and not for long.
MOST_WAITING = 1
LONGEST_WAIT = 2.0  # seconds

_changed = threading.Condition()
_running = {True: 0, False: 0}  # by whether the place is a reserved one
_waiting = {True: 0, False: 0}  # by whether the place may be a reserved one


@contextmanager
def password_check(*, reserved: bool = False) -> Iterator[None]:
    """
    Check a password while this runs, as one of TOKENS_PASSWORD_CHECKS of this process.

    With ``reserved`` there is one more place. If none is free, wait for one, unless another request
    waits already. Raises TooManyAtOnce, which has a line in the log.
    """
    most = conf.TOKENS_PASSWORD_CHECKS
    if most <= 0:
        yield
        return
    try:
        is_reserved = _enter(most, may_be_reserved=reserved)
    except TooManyAtOnce:
        address = current_client().ip_address
        signals.log("password_not_checked", level=WARNING, address=address, at_once=most)
        raise
    try:
        yield
    finally:
        _leave(is_reserved)


def forget() -> None:
    """Forget what was running, as a new process does: a forked one runs nothing of its parent's."""
    global _changed
    _changed = threading.Condition()
    _running.update({True: 0, False: 0})
    _waiting.update({True: 0, False: 0})


def _enter(most: int, *, may_be_reserved: bool) -> bool:
    """Take a place, and return whether it is a reserved one."""

    def has_room() -> bool:
        return _running[False] < most or (may_be_reserved and _running[True] < RESERVED)

    with _changed:
        # Callers that wait come first. Otherwise new ones could take each place that becomes free.
        if any(_waiting.values()) or not has_room():
            if _waiting[may_be_reserved] >= MOST_WAITING:
                raise TooManyAtOnce
            _waiting[may_be_reserved] += 1
            try:
                if not _changed.wait_for(has_room, LONGEST_WAIT):
                    raise TooManyAtOnce
            finally:
                _waiting[may_be_reserved] -= 1
        # A caller that may have a reserved place leaves the others to all callers.
        is_reserved = may_be_reserved and _running[True] < RESERVED
        _running[is_reserved] += 1
    return is_reserved


def _leave(is_reserved: bool) -> None:
    with _changed:
        _running[is_reserved] -= 1
        _changed.notify_all()


# A lock that another thread holds at a fork stays locked in the child.
os.register_at_fork(after_in_child=forget)

"""The time that passes, and what a process remembers after a fork."""

import os
import time
from typing import Any

import pytest

from tokens import clock, sessions
from tokens.keyring import ring
from tokens.models import SigningKey
from tokens.sessions import verified


def test_what_passes_is_in_seconds_and_never_goes_back() -> None:
    began, since = time.perf_counter(), clock.elapsed()
    time.sleep(0.01)
    assert 0 < clock.elapsed() - since <= time.perf_counter() - began


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_fork_while_another_thread_holds_a_lock_stops_nothing(user: Any) -> None:
    pair = sessions.start(user)
    claims = sessions.authenticate(pair.raw_access).claims
    with ring._caches.of(SigningKey).lock, verified._cache._lock:
        child = os.fork()
    if not child:
        free = ring._caches.of(SigningKey).lock.acquire(
            timeout=5
        ) and verified._cache._lock.acquire(timeout=5)
        os._exit(
            0
            if free and ring._caches.of(SigningKey).ring is None and not len(verified._cache)
            else 1
        )
    assert os.waitpid(child, 0)[1] == 0
    assert sessions.authenticate(pair.raw_access).claims == claims

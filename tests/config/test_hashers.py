"""Passwords are hashed as by Django's Argon2, with a lower priority than other requests have."""

import os
import sys
import threading

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password

from config import hashers
from config.hashers import LOWER, LowPriorityArgon2PasswordHasher


@pytest.fixture(autouse=True)
def _as_in_production(settings: object) -> None:
    settings.PASSWORD_HASHERS = [  # type: ignore[attr-defined]
        "config.hashers.LowPriorityArgon2PasswordHasher"
    ]


def test_the_hashes_are_those_of_djangos_argon2() -> None:
    encoded = make_password("a pass phrase")
    assert encoded.startswith("argon2$")
    assert check_password("a pass phrase", encoded)
    assert not check_password("another", encoded)
    assert Argon2PasswordHasher().verify("a pass phrase", encoded)
    old = Argon2PasswordHasher().encode("a pass phrase", "salt-of-eight")
    assert LowPriorityArgon2PasswordHasher().verify("a pass phrase", old)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads share a priority")
def test_they_are_made_below_the_priority_of_other_threads() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    own = priority()
    assert hashers._run(priority) == own + LOWER or own + LOWER > 19
    assert priority() == own


def test_an_error_is_the_callers() -> None:
    def fail() -> None:
        raise ValueError("no memory")

    with pytest.raises(ValueError, match="no memory"):
        hashers._run(fail)


def test_a_new_process_makes_threads_of_its_own() -> None:
    make_password("a pass phrase")
    hashers._forget()
    assert check_password("a pass phrase", make_password("a pass phrase"))

"""
Each actor is a process of its own: with its own caches, on a clock that is set, without randomness.

The caches of ``tokens`` belong to a process. Here each actor's thread has its own, so that an actor
does not see at once what another one has put into a cache.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from unittest import mock
from uuid import UUID, uuid5

from cryptography.fernet import Fernet
from django.contrib.auth import hashers

from tokens import clock, jose
from tokens.database.places import PerPlace
from tokens.keyring import jwk, ring
from tokens.models import DeniedToken, SigningKey, denylist
from tokens.operations import pacing, pruning
from tokens.sessions import ending, lifecycle, passwords, seen, verified

# Snapshot mode can be deleted.
copy: Any = import_module("tokens.snapshot.copy") if find_spec("tokens.snapshot") else None

START = datetime(2030, 1, 1, tzinfo=UTC)
SALT = "a-salt-of-22-characters"
_SPACE = UUID("00000000-0000-4000-8000-000000000000")


def seconds_of(instant: datetime) -> float:
    """Return the seconds from the start of every scenario to this instant."""
    return (instant - START).total_seconds()


class Process:
    """The caches of one process. Its clock is ``offset`` seconds ahead."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.offset = 0.0
        self.made = 0  # how many random things it has made
        self.events: list[tuple[str, Any, Any]] = []  # the signals that it has sent
        self.rings = PerPlace(ring._Cache)
        self.verified = verified._Cache()
        self.notes = seen._Notes()
        self.notes._start_thread = lambda: None  # type: ignore[method-assign]  # A verb writes them.
        self.copies: Any = copy and PerPlace(copy.Copy, drop=copy.Copy.forget)

    def begin(self, known_ring: Any, *, ring_read_at: float) -> None:
        """Be a process that has read the key ring at that time, and nothing else."""
        self.offset, self.made = 0.0, 0
        self.events.clear()
        self.rings.forget()
        self.rings.of(SigningKey).ring = known_ring and replace(known_ring, read_at=ring_read_at)
        self.verified.clear()
        self.notes.forget()
        if self.copies is not None:
            self.copies.forget()
            # A notification makes a denial known sooner, and must not be needed for the bound.
            self.copies.of(DeniedToken).notifications.has_changes = lambda alias: False

    def state(self) -> Any:
        """Return what decides how the process goes on."""
        known = self.rings.of(SigningKey).ring
        held = self.copies and self.copies.of(DeniedToken)
        return (
            self.offset,
            known and (sorted(known.keys), known.signer and known.signer.sealed, known.read_at),
            [sorted(notes.items()) for notes in self.notes._pending.values()],
            sorted(self.notes._noted),
            copy and (sorted(held._held), held._cut_offs, held._floor, held._settled),
            copy and (held._read_at, held._added),
        )


class Processes:
    """The time that all processes share, and the process of each thread."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._processes: dict[str, Process] = {}
        self._here = threading.local()

    def process(self, name: str) -> Process:
        if name not in self._processes:
            self._processes[name] = Process(name)
        return self._processes[name]

    @property
    def here(self) -> Process:
        here: Process = getattr(self._here, "process", None) or self.process("main")
        return here

    def enter(self, name: str) -> Process:
        """Let this thread be in the process of that name."""
        self._here.process = self.process(name)
        return self.here

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds + self.here.offset)

    # As the modules ``secrets`` and ``time``:

    def randbits(self, bits: int) -> int:
        self.here.made += 1
        return self.here.made

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Return at once: time is set, and does not pass."""


class _OfThisProcess:
    """Stands in for a cache of a module: for that of the process which the thread is in."""

    def __init__(self, processes: Processes, name: str) -> None:
        self.__dict__.update(_processes=processes, _name=name)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(getattr(self._processes.here, self._name), attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        setattr(getattr(self._processes.here, self._name), attribute, value)


@contextmanager
def separate_processes(processes: Processes) -> Iterator[None]:
    """Patch ``tokens`` so that each thread is in a process of ``processes``, at its time."""

    def made() -> UUID:
        here = processes.here
        here.made += 1
        return uuid5(_SPACE, f"{here.name} {here.made}")

    def make_key(algorithm: str) -> dict[str, Any]:
        name = made().hex
        private = jose.to_jwk((name * 2).encode()[:32], algorithm)
        return {**private, "kid": f"key-{name[:8]}", "alg": algorithm}

    def encrypt(fernet: Any, data: bytes) -> bytes:
        return bytes(fernet._encrypt_from_parts(data, 0, bytes(16)))

    with ExitStack() as stack:

        def patch(target: Any, name: str, new: Any) -> None:
            stack.enter_context(mock.patch.object(target, name, new))

        patch(ring, "_caches", _OfThisProcess(processes, "rings"))
        patch(verified, "_cache", _OfThisProcess(processes, "verified"))
        patch(seen, "_notes", _OfThisProcess(processes, "notes"))
        if copy:
            patch(import_module("tokens.snapshot"), "_copies", _OfThisProcess(processes, "copies"))
            patch(copy, "OVERLAP", 1)  # So that few rows are enough for some to be settled.
        patch(clock, "now", processes.now)
        patch(clock, "elapsed", processes.monotonic)
        for module in (ending, passwords, pruning, pacing):
            patch(module, "time", processes)
        patch(lifecycle, "uuid4", made)
        patch(jwk, "make", make_key)
        patch(Fernet, "encrypt", encrypt)
        patch(denylist, "secrets", processes)
        patch(hashers.BasePasswordHasher, "salt", lambda self: SALT)
        yield

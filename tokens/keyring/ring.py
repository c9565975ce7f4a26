"""
This process's copy of the ring, opened.

It reads the table again when a signature is due and its copy is older than SIGNER_MAX_AGE, when
the copy is older than RING_MAX_AGE, and when a token names a ``kid`` that it does not know;
strangers can name as many as they like, so that last kind is rationed.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from django.utils import timezone

from ..conf import conf
from ..errors import KeyRingError, UnknownKey
from ..jose import Key, load_key
from ..models import SigningKey
from . import jwk
from .sealing import Sealer

SIGNER_MAX_AGE = 1.0  # seconds in which a rotation reaches every process
RING_MAX_AGE = 60.0  # seconds in which a key that is gone is gone everywhere
REREADS_PER_SECOND = 10

State = SigningKey.State


@dataclass(frozen=True, slots=True)
class _Opened:
    """
    One row, opened. ``load`` gives its key, and makes it once: RSA takes a tenth of a second.

    ``sealed`` tells whether a later reading can take the key over.
    """

    load: Callable[[], Key] = field(repr=False)
    public_jwk: dict[str, Any] | None
    sealed: str = field(repr=False)
    state: str
    verifies_until: datetime | None
    longest_life: timedelta

    def verifies(self, *, now: datetime) -> bool:
        return self.verifies_until is None or now < self.verifies_until


@dataclass(frozen=True, slots=True)
class _Ring:
    keys: Mapping[str, _Opened]
    signer: _Opened | None
    read_at: float

    def is_older_than(self, seconds: float) -> bool:
        return time.monotonic() - self.read_at > seconds


class _Process:
    """This process's copy of the ring, and what is left of its ration of re-reads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.ring: _Ring | None = None
        self.ration = float(REREADS_PER_SECOND)
        self.rationed_at = time.monotonic()

    def may_reread(self) -> bool:
        with self.lock:
            elapsed = time.monotonic() - self.rationed_at
            self.rationed_at += elapsed
            self.ration = min(self.ration + elapsed * REREADS_PER_SECOND, REREADS_PER_SECOND)
            if self.ration < 1:
                return False
            self.ration -= 1
            return True


_process = _Process()


def forget() -> None:
    """Drop this process's copy, so that the next use reads the table."""
    _process.forget()


def signing_key() -> Key:
    """
    Return the key that signs now, at most SIGNER_MAX_AGE seconds out of date.

    Raises KeyRingError.
    """
    signer = _signer(_ring(max_age=SIGNER_MAX_AGE))
    if not _notes_its_longest_life(signer):
        # Another process has noted it, or has just rotated: then another key signs.
        signer = _signer(_read())
        _notes_its_longest_life(signer)
    return signer.load()


def verification_key(kid: str, *, now: datetime) -> Key:
    """
    Return the key of ``kid``, which is a caller's word: an exact look-up, and rationed re-reads.

    Raises UnknownKey, KeyRingError.
    """
    ring = _ring(max_age=RING_MAX_AGE)
    if kid not in ring.keys and _process.may_reread():
        ring = _read()
    found = ring.keys.get(kid)
    if found is None or not found.verifies(now=now):
        raise UnknownKey("The token's kid names no key that verifies.")
    return found.load()


def jwks(*, now: datetime | None = None) -> dict[str, list[dict[str, Any]]]:
    """
    Return the public keys that sign, will sign next or still verify, as a JWK Set (RFC 7517 §5).

    Reads the table each time: a fresh token of another process is verifiable by this answer.
    Raises KeyRingError.
    """
    now = now or timezone.now()
    opened = sorted(_read().keys.values(), key=lambda one: State.values.index(one.state))
    return {"keys": [one.public_jwk for one in opened if one.public_jwk and one.verifies(now=now)]}


def check() -> None:
    """Read the table and decrypt every key. Raises KeyRingError."""
    if _read().signer is None:
        raise no_signing_key()


def unneeded_fallbacks() -> bool:
    """Return whether TOKENS_SECRET decrypts every key, so that no fallback is needed."""
    return not Sealer().sealed_otherwise(_rows())


def no_signing_key() -> KeyRingError:
    return KeyRingError(
        "No signing key exists.", hint='Run "manage.py migrate" to create the first.'
    )


def _ring(*, max_age: float) -> _Ring:
    ring = _process.ring
    return _read() if ring is None or ring.is_older_than(max_age) else ring


def _signer(ring: _Ring) -> _Opened:
    if ring.signer is None:
        raise no_signing_key()
    return ring.signer


def _notes_its_longest_life(signer: _Opened) -> bool:
    """
    Let a rotation wait for the longest-lived token that the key is about to sign.

    False if the row is no longer as this copy has it.
    """
    life = conf.TOKENS_REFRESH_LIFETIME
    if signer.longest_life >= life:
        return True
    # This copy does not learn of it here, for the caller's transaction may be rolled back.
    row = SigningKey.objects.filter(kid=signer.load().kid, state=State.SIGNING)
    return bool(row.filter(longest_life__lt=life).update(longest_life=life))


def _rows() -> list[SigningKey]:
    # A revoked key has nothing left to open.
    return list(SigningKey.objects.exclude(state=State.REVOKED))


def _read() -> _Ring:
    began = time.monotonic()  # A copy is as old as the beginning of its reading.
    rows = _rows()
    former = _process.ring.keys if _process.ring else {}
    sealer = Sealer()
    keys = {row.kid: _open(row, sealer, former.get(row.kid)) for row in rows}
    signers = [opened for opened in keys.values() if opened.state == State.SIGNING]
    ring = _Ring(keys, signers[0] if signers else None, began)
    _process.ring = ring
    return ring


def _open(row: SigningKey, sealer: Sealer, former: _Opened | None) -> _Opened:
    private_jwk = sealer.open(row)
    if former and former.sealed == row.sealed:
        load = former.load
    else:
        load = cache(partial(load_key, private_jwk))
    return _Opened(
        load,
        jwk.public(private_jwk),
        row.sealed,
        row.state,
        row.verifies_until,
        row.longest_life,
    )

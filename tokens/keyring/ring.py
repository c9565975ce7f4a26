"""
This process's copies of the key ring, decrypted: one for each place, such as a tenant.

The table is read again

- to sign, if the copy is older than SIGNER_MAX_AGE,
- to verify, if the copy is older than RING_MAX_AGE,
- to verify a token whose ``kid`` is not in the copy. Anyone can send such tokens, so this happens
  REREADS_PER_SECOND times per second at most.
"""

import functools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from .. import clock, watching
from ..conf import conf
from ..database.places import PerPlace
from ..errors import KeyRingError, UnknownKey
from ..jose import Key, TokenType, load_key
from ..models import SigningKey
from ..secret import hides_locals
from . import jwk
from .sealing import Sealer

SIGNER_MAX_AGE = 1.0  # seconds after which every process signs with the new key
RING_MAX_AGE = 60.0  # seconds after which no process verifies with a key that was removed
REREADS_PER_SECOND = 10

State = SigningKey.State


@dataclass(frozen=True, slots=True)
class _RingKey:
    """
    One row of the key ring, decrypted.

    ``load`` returns its key for a type of token, and builds it on the first call: an RSA key takes
    a tenth of a second. A later copy of the ring takes ``load`` over if ``sealed`` is the same.
    """

    kid: str
    load: Callable[[TokenType], Key] = field(repr=False)
    public_jwk: dict[str, Any] | None
    sealed: str = field(repr=False)
    state: str
    verifies_until: datetime | None
    longest_life: timedelta

    def verifies(self, *, now: datetime) -> bool:
        return self.verifies_until is None or now < self.verifies_until


@dataclass(frozen=True, slots=True)
class _Ring:
    keys: Mapping[str, _RingKey]
    signer: _RingKey | None
    read_at: float

    def is_older_than(self, seconds: float) -> bool:
        return clock.elapsed() - self.read_at > seconds


class _Cache:
    """The copy of one ring, and how many reads unknown kids can still cause."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ring: _Ring | None = None
        self.rereads_left = float(REREADS_PER_SECOND)
        self.counted_at = clock.elapsed()

    def allow_reread(self) -> bool:
        """Return whether an unknown kid may cause a read now, and count it if so."""
        with self.lock:
            if not self._has_reread():
                return False
            self.rereads_left -= 1
            return True

    def may_reread(self) -> bool:
        """Return whether ``allow_reread`` would allow one now."""
        with self.lock:
            return self._has_reread()

    def _has_reread(self) -> bool:
        elapsed = clock.elapsed() - self.counted_at
        self.counted_at += elapsed
        earned = elapsed * REREADS_PER_SECOND
        self.rereads_left = min(self.rereads_left + earned, REREADS_PER_SECOND)
        return self.rereads_left >= 1


_caches = PerPlace(_Cache)


def forget() -> None:
    """Drop this process's copies, so that the next use reads the table."""
    _caches.forget()


def signing_key(*, lifetime: timedelta | None = None) -> Key:
    """
    Return the key that signs access tokens now, from a copy that is at most SIGNER_MAX_AGE seconds old.

    ``lifetime`` is that of the refresh token to be signed, if it is not TOKENS_REFRESH_LIFETIME.

    Raises KeyRingError.
    """
    cache = _caches.of(SigningKey)
    signer = _signer(_ring(cache, max_age=SIGNER_MAX_AGE))
    if not _record_longest_life(signer, lifetime):
        # Another process has recorded it, or has just rotated, so that another key signs.
        signer = _signer(_read(cache))
        _record_longest_life(signer, lifetime)
    return signer.load(TokenType.ACCESS)


def verification_key(kid: str, type: TokenType = TokenType.ACCESS, *, now: datetime) -> Key:
    """
    Return the key with exactly this ``kid`` for tokens of this type.

    No published key verifies a refresh token: the key for these is derived, and symmetric. Raises
    UnknownKey, KeyRingError.

    The ``kid`` is untrusted. If the copy does not have it, the table is read again, at most
    REREADS_PER_SECOND times per second.
    """
    cache = _caches.of(SigningKey)
    ring = _ring(cache, max_age=RING_MAX_AGE)
    if kid not in ring.keys and cache.allow_reread():
        ring = _read(cache)
    return _key_of(ring, kid, type, now=now)


def _key_of(ring: _Ring, kid: str, type: TokenType, *, now: datetime) -> Key:
    found = ring.keys.get(kid)
    if found is None or not found.verifies(now=now):
        raise UnknownKey("The token's kid names no key that verifies.")
    return found.load(type)


class NeedsQuery(Exception):
    """Only the table can tell whether the key exists."""


def key_in_memory(kid: str, type: TokenType = TokenType.ACCESS, *, now: datetime) -> Key:
    """
    Return what ``verification_key`` returns, without a query.

    Raises NeedsQuery where that function would read the table, and UnknownKey.
    """
    cache = _caches.of(SigningKey)
    ring = cache.ring
    if ring is None or ring.is_older_than(RING_MAX_AGE):
        raise NeedsQuery
    if kid not in ring.keys and cache.may_reread():
        raise NeedsQuery
    return _key_of(ring, kid, type, now=now)


def jwks(*, now: datetime | None = None) -> dict[str, list[dict[str, Any]]]:
    """
    Return the public keys that sign, will sign next or still verify, as a JWK Set (RFC 7517 §5).

    The table is read each time, so the answer has the key of a token that another process has just
    signed. Raises KeyRingError.
    """
    now = now or clock.now()
    ring_keys = sorted(
        _read(_caches.of(SigningKey)).keys.values(), key=lambda key: State.values.index(key.state)
    )
    return {
        "keys": [key.public_jwk for key in ring_keys if key.public_jwk and key.verifies(now=now)]
    }


def check() -> None:
    """Read the table and decrypt every key. Raises KeyRingError."""
    if _read(_caches.of(SigningKey)).signer is None:
        raise no_signing_key()


def unneeded_fallbacks() -> bool:
    """Return whether TOKENS_SECRET decrypts every key, so that no fallback is needed."""
    return not Sealer().sealed_otherwise(_rows())


def no_signing_key() -> KeyRingError:
    return KeyRingError(
        "No signing key exists.", hint='Run "manage.py migrate" to create the first.'
    )


def _ring(cache: _Cache, *, max_age: float) -> _Ring:
    ring = cache.ring
    return _read(cache) if ring is None or ring.is_older_than(max_age) else ring


def _signer(ring: _Ring) -> _RingKey:
    if ring.signer is None:
        raise no_signing_key()
    return ring.signer


def _record_longest_life(signer: _RingKey, lifetime: timedelta | None) -> bool:
    """
    Raise the row's ``longest_life`` to the lifetime of the tokens that the key is about to sign.

    A rotation keeps the key for that long. Return False if the row is not as this copy has it.
    """
    life = lifetime or conf.TOKENS_REFRESH_LIFETIME
    if signer.longest_life >= life:
        return True
    # This copy is not updated, because the caller's transaction may be rolled back.
    row = SigningKey.objects.filter(kid=signer.kid, state=State.SIGNING)
    return bool(row.filter(longest_life__lt=life).update(longest_life=life))


def _rows() -> list[SigningKey]:
    # The ``sealed`` of a revoked key is empty.
    return list(SigningKey.objects.exclude(state=State.REVOKED))


def _read(cache: _Cache) -> _Ring:
    began = clock.elapsed()  # The copy is as old as the start of the query.
    rows = _rows()
    former = cache.ring.keys if cache.ring else {}
    sealer = Sealer()
    keys = {row.kid: _open(row, sealer, former.get(row.kid)) for row in rows}
    signers = [key for key in keys.values() if key.state == State.SIGNING]
    ring = _Ring(keys, signers[0] if signers else None, began)
    cache.ring = ring
    signing = [row.signs_since for row in rows if row.state == State.SIGNING]
    watching.tell("key_ring_read", {"signs_since": next(iter(signing), None)})
    return ring


@hides_locals
def _open(row: SigningKey, sealer: Sealer, former: _RingKey | None) -> _RingKey:
    private_jwk = sealer.open(row)
    if former and former.sealed == row.sealed:
        load = former.load
    else:
        load = functools.cache(partial(_load, private_jwk))
    return _RingKey(
        row.kid,
        load,
        jwk.public(private_jwk),
        row.sealed,
        row.state,
        row.verifies_until,
        row.longest_life,
    )


@hides_locals
def _load(private_jwk: dict[str, Any], type: TokenType) -> Key:
    is_refresh = type is TokenType.REFRESH
    return load_key(jwk.for_refresh_tokens(private_jwk) if is_refresh else private_jwk)

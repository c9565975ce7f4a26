"""
This process's signed lists, which are read from the database at most once per half ttl (BUILD_EVERY).

A service that follows the rules fetches a list again after one ttl (§13.7), and this process, or a
cache, has had that list for at most half a ttl. So the service knows of each end within one and a half
ttl. A list expires after two.
"""

import gzip
import hashlib
import threading
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from .. import clock, keyring
from ..conf import conf
from ..database.places import PerPlace
from ..jose import sign
from .building import build
from .lists import TYPE, Bits, payload_of, uri_of
from .models import Block

BUILD_EVERY = 0.5  # of the ttl
EXPIRES_AFTER = 2  # ttls


class NoPublicKey(Exception):
    """The signing key has no public half, so no other service could verify a list (§11.6)."""


@dataclass(frozen=True, slots=True)
class Signed:
    """One Status List Token (§5.1), plain and compressed, and how many seconds a cache may keep it."""

    token: bytes
    gzipped: bytes
    etag: str
    max_age: int


@dataclass(slots=True)
class _Built:
    """The lists at one instant, and the signed ones, by number, key and URL."""

    lists: dict[int, Bits]
    issued_at: int
    built_at: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    signed: dict[tuple[int, str, str], tuple[bytes, bytes, str]] = field(default_factory=dict)
    compressed: dict[int, str] = field(default_factory=dict)


class _Lists:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._built: _Built | None = None

    def current(self, *, now: datetime) -> _Built:
        built = self._fresh()
        if built is None:
            with self._lock:
                # Another thread may have built them while this one waited.
                built = self._fresh() or self._build(now=now)
        return built

    def _fresh(self) -> _Built | None:
        every = conf.TOKENS_STATUS_LIST_TTL.total_seconds() * BUILD_EVERY
        built = self._built
        is_old = built is None or clock.elapsed() - built.built_at > every
        return None if is_old else built

    def _build(self, *, now: datetime) -> _Built:
        began = clock.elapsed()  # The lists are as old as the start of the first query.
        self._built = _Built(build(now=now), int(now.timestamp()), began)
        return self._built


_lists = PerPlace(_Lists)


def forget() -> None:
    """Drop this process's lists, so that the next request reads the database."""
    _lists.forget()


def numbers(*, now: datetime) -> list[int]:
    """Return the numbers of all lists."""
    return sorted(_lists.of(Block).current(now=now).lists)


def signed_list(number: int, *, now: datetime) -> Signed | None:
    """Return the list of this number. Raises NoPublicKey, KeyRingError and DatabaseError."""
    base = conf.TOKENS_STATUS_LIST_URL
    built = _lists.of(Block).current(now=now)
    if not base or number not in built.lists:
        return None
    # The kid refers to a key of the JWK Set (§11.3). After a rotation, it is another one.
    key = keyring.signing_key()
    if key.public is None:
        raise NoPublicKey
    ttl = conf.TOKENS_STATUS_LIST_TTL.total_seconds()
    with built.lock:
        if number not in built.compressed:
            built.compressed[number] = built.lists[number].compressed()
        if (number, key.kid, base) not in built.signed:
            payload = payload_of(
                built.compressed[number],
                uri=uri_of(number, base),
                aggregation_uri=base,
                issued_at=built.issued_at,
                ttl=ceil(ttl),
                expires_at=built.issued_at + ceil(EXPIRES_AFTER * ttl),
            )
            token = sign(payload, typ=TYPE, key=key).encode()
            etag = hashlib.sha256(token).hexdigest()
            built.signed[number, key.kid, base] = token, gzip.compress(token, 6, mtime=0), etag
        token, gzipped, etag = built.signed[number, key.kid, base]
    left = built.built_at + ttl * BUILD_EVERY - clock.elapsed()
    return Signed(token, gzipped, etag, max_age=max(0, int(left)))

"""
Cache the claims of access tokens whose signature this process has verified.

The cache is keyed by the token's SHA-256 digest, and saves parsing and verifying the signature
only. On a hit the key is looked up in the key ring again. The caller checks the times, the
denylist, the session and the user each time.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256

from .. import keyring
from ..errors import Malformed
from ..jose import MAX_TOKEN_LENGTH, Claims, Key, TokenType, read_signed
from ..secret import RawToken, Secret, hide

CAPACITY = 4096  # tokens, about 1,000 bytes each, more with a project's own claims


@dataclass(frozen=True, slots=True)
class _Entry:
    claims: Claims
    key: Key = field(repr=False)


class _Cache:
    """The CAPACITY most recently used tokens, by digest. Thread-safe."""

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._lock = threading.Lock()  # Before a fork, another thread may have held it.
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, digest: bytes) -> _Entry | None:
        with self._lock:
            found = self._entries.get(digest)
            if found is not None:
                self._entries.move_to_end(digest)
            return found

    def add(self, digest: bytes, entry: _Entry) -> None:
        with self._lock:
            self._entries[digest] = entry
            self._entries.move_to_end(digest)
            while len(self._entries) > CAPACITY:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


_cache = _Cache()


FindKey = Callable[..., Key]


def read(
    raw_token: RawToken, *, now: datetime, find_key: FindKey = keyring.verification_key
) -> Claims:
    """
    Return the claims of a token that a key of the key ring signed, without checking its times.

    ``find_key`` may be ``keyring.key_in_memory``. Raises what ``jose.read_signed`` and ``find_key``
    raise.
    """
    raw_token = hide(raw_token)
    # The digest, so that no raw token stays in memory and a long token needs no more of it.
    digest = _digest(raw_token)
    known = _cache.get(digest)
    # Compare the key itself and not its kid: a key that has left the ring must not verify.
    if known and find_key(known.claims.kid, TokenType.ACCESS, now=now) is known.key:
        return known.claims
    claims, key = read_signed(raw_token, find_key=partial(find_key, now=now))
    if claims.type is TokenType.ACCESS:
        # Refresh tokens are not cached, because each is normally used once.
        _cache.add(digest, _Entry(claims, key))
    return claims


def _digest(raw_token: Secret[str]) -> bytes:
    if len(raw_token.reveal()) > MAX_TOKEN_LENGTH or not raw_token.reveal().isascii():
        raise Malformed("The token is not three base64url parts, or is too long.")
    return sha256(raw_token.reveal().encode()).digest()


def forget() -> None:
    """Empty this process's cache."""
    _cache.clear()

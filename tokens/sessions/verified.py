"""
Cache the claims of access tokens whose signature this process has verified.

The cache is keyed by the token's SHA-256 digest, and saves parsing and verifying the signature
only. On a hit the key is looked up in the key ring again. The caller checks the times, the
denylist, the session and the user each time.
"""

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256

from .. import keyring
from ..errors import Malformed
from ..jose import MAX_TOKEN_LENGTH, Claims, Key, TokenType, read_signed

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


def read(raw_token: str, *, now: datetime) -> Claims:
    """
    Return the claims of a token that a key of the key ring signed, without checking its times.

    Raises what ``jose.read_signed`` and ``keyring.verification_key`` raise.
    """
    if len(raw_token) > MAX_TOKEN_LENGTH or not raw_token.isascii():
        raise Malformed("The token is not three base64url parts, or is too long.")
    # The digest, so that no raw token stays in memory and a long token needs no more of it.
    digest = sha256(raw_token.encode()).digest()
    known = _cache.get(digest)
    # Compare the key itself and not its kid: a key that has left the ring must not verify.
    if known and keyring.verification_key(known.claims.kid, now=now) is known.key:
        return known.claims
    claims, key = read_signed(raw_token, find_key=partial(keyring.verification_key, now=now))
    if claims.type is TokenType.ACCESS:
        # Refresh tokens are not cached, because each is normally used once.
        _cache.add(digest, _Entry(claims, key))
    return claims


def forget() -> None:
    """Empty this process's cache."""
    _cache.clear()

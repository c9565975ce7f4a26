"""
Claims whose signature was good, so that the same token is not verified over and over.

A token is known here by its digest, and nothing but its signature and form is taken as settled:
a hit asks for the key again, and the instant, the denylist, session and user are looked at by
whoever reads the claims.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256

from .. import keyring
from ..errors import Malformed
from ..jose import MAX_TOKEN_LENGTH, Claims, Key, TokenType, read_signed

# A thousand bytes each, give or take a project's own claims.
CAPACITY = 4096


@dataclass(frozen=True, slots=True)
class _Verified:
    claims: Claims
    key: Key = field(repr=False)


class _Memory:
    """The last CAPACITY tokens that were used, by digest. Safe among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, _Verified] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, digest: bytes) -> _Verified | None:
        with self._lock:
            found = self._entries.get(digest)
            if found is not None:
                self._entries.move_to_end(digest)
            return found

    def keep(self, digest: bytes, verified: _Verified) -> None:
        with self._lock:
            self._entries[digest] = verified
            self._entries.move_to_end(digest)
            while len(self._entries) > CAPACITY:
                self._entries.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._entries.clear()


_memory = _Memory()


def read(raw_token: str, *, now: datetime) -> Claims:
    """
    Return the claims of a token that a key of ours signed; its instants are not looked at.

    Raises what ``codec.read_signed`` and ``keyring.verification_key`` raise.
    """
    if len(raw_token) > MAX_TOKEN_LENGTH or not raw_token.isascii():
        raise Malformed("The token is not three base64url parts of a sane length.")
    # By digest: no raw token stays in memory, and a long one costs no more room than a short one.
    digest = sha256(raw_token.encode()).digest()
    known = _memory.find(digest)
    # The same key, not one of the same name: what has left the ring verifies nothing any more.
    if known and keyring.verification_key(known.claims.kid, now=now) is known.key:
        return known.claims
    claims, key = read_signed(raw_token, find_key=partial(keyring.verification_key, now=now))
    if claims.type is TokenType.ACCESS:
        # A refresh token is used once.
        _memory.keep(digest, _Verified(claims, key))
    return claims


def forget() -> None:
    """Drop what this process has verified."""
    _memory.forget()

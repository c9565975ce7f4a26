"""Verify access tokens against the keys and the feed of denials."""

import asyncio
import json
import os
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any
from weakref import WeakSet

import jwt

from .errors import InvalidToken, NoToken, Unavailable
from .following import MALFORMED, Follower
from .options import Options

MAX_TOKEN_LENGTH = 8192
REQUIRED = ["aud", "exp", "iat", "iss", "jti", "sid", "sub"]
ELSEWHERE = ("verify_exp", "verify_iat", "verify_nbf", "verify_sub", "verify_jti")
CAPACITY = 8192  # How many tokens each of two dicts remembers.


@dataclass(frozen=True, slots=True)
class Token:
    """A verified access token. ``claims`` holds all its claims; do not change their values."""

    sub: str
    sid: str
    jti: str
    exp: int
    iat: int
    claims: Mapping[str, Any] = field(repr=False)
    kid: str = field(repr=False)
    _key: jwt.PyJWK = field(repr=False)
    _ids: tuple[str, str, str] = field(repr=False)


@lru_cache(maxsize=32)  # All tokens of one key have the same.
def _header(text: str) -> Any:
    return json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))


class _MustWait(Exception):
    pass


class Verifier(Options):
    """
    Verify the tokens of one authority. One object serves a process with its threads and its forks.

    It starts to follow the keys and the feed at the first token. If it hears nothing from the authority
    for ``bound`` seconds, ``verify`` raises Unavailable, unless ``on_silence`` is "accept".
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._follower = Follower(self)
        self._seen: dict[bytes, Token] = {}
        self._seen_before: dict[bytes, Token] = {}
        _verifiers.add(self)

    def verify(self, token: str) -> Token:
        """
        Return the verified token. Raises InvalidToken or Unavailable.

        It waits for the network only at the first calls, and for a key that it does not know.
        """
        return self._verify(token, may_wait=True)

    async def averify(self, token: str) -> Token:
        """Do the same without blocking the event loop."""
        try:
            return self._verify(token, may_wait=False)
        except _MustWait:
            return await asyncio.to_thread(self.verify, token)

    def start(self) -> None:
        """Follow the feed from now on. Without this, the first token starts it."""
        self._follower.start()

    def close(self) -> None:
        """Stop following the feed. After the bound, every call raises Unavailable."""
        self._follower.close()

    def _verify(self, token: str, may_wait: bool) -> Token:
        follower, now = self._follower, self.clock()
        news = now <= follower.until and self.ticks() <= follower.until_ticks
        if not news or follower.thread is None:
            self._without_news(may_wait)
        try:
            digest = sha256(token.encode()).digest()
        except (AttributeError, UnicodeEncodeError):
            raise InvalidToken("The token is not a string.") from None
        seen = self._seen.get(digest) or self._seen_before.get(digest)
        if seen is None or follower.keys.get(seen.kid) is not seen._key:
            seen = self._read(token, may_wait)
            if len(self._seen) >= CAPACITY:
                self._seen_before, self._seen = self._seen, {}
            self._seen[digest] = seen
        if now >= seen.exp + self.leeway:
            raise InvalidToken("The token has expired.")
        entries, before = follower.denials.entries, follower.denials.before
        sid, jti, kid = seen._ids
        if sid in entries or jti in entries or kid in entries:
            raise InvalidToken("The token is denied.")
        if before and seen.iat <= max(before.get(None, -1), before.get(seen.sub, -1)):
            raise InvalidToken("The token was issued before a cut-off.")
        return seen

    def _without_news(self, may_wait: bool) -> None:
        """Start the thread, and wait for the first document. Raises Unavailable without one."""
        follower = self._follower
        follower.start()
        if not follower.has_news() and (left := follower.patience_left()) > 0:
            if not may_wait:
                raise _MustWait
            follower.settled.wait(left)
        if self.on_silence == "refuse" and not follower.has_news():
            raise Unavailable("There is no news of denials.")

    def _read(self, token: str, may_wait: bool) -> Token:
        """Check everything about a token that does not change while its key is published."""
        if len(token) > MAX_TOKEN_LENGTH:
            raise InvalidToken("The token is too long.")
        try:
            header = _header(token.partition(".")[0])
            kid = header.get("kid")
            if header.get("typ") != "at+jwt" or not isinstance(kid, str) or "crit" in header:
                raise InvalidToken("It is not an access token.")
            key = self._follower.keys.get(kid) or self._key_of(kid, may_wait)
            # The times are checked below, by this object's clock.
            rules: Any = {"require": REQUIRED, **dict.fromkeys(ELSEWHERE, False)}
            about: Any = {"issuer": self.issuer, "audience": self.audience}
            claims = jwt.decode(token, key, [key.algorithm_name], rules, **about)
        except (jwt.PyJWTError, *MALFORMED) as error:
            raise InvalidToken(f"The token is not valid: {type(error).__name__}") from None
        sub, sid, jti = (claims[name] for name in ("sub", "sid", "jti"))
        exp, iat = claims["exp"], claims["iat"]
        nbf = claims.get("nbf", iat)
        if {type(sub), type(sid), type(jti)} != {str} or {type(exp), type(iat), type(nbf)} != {int}:
            raise InvalidToken("The token has odd claims.")
        if max(iat, nbf) > self.clock() + self.leeway:
            raise InvalidToken("The token is from the future.")
        ids = (f"sid {sid}", f"jti {jti}", f"kid {kid}")
        return Token(sub, sid, jti, exp, iat, MappingProxyType(claims), kid, key, ids)

    def _key_of(self, kid: str, may_wait: bool) -> jwt.PyJWK:
        if not may_wait and self._follower.would_read_keys():
            raise _MustWait
        try:
            key = self._follower.key_of(kid)
        except Exception as error:  # From the network, HTTP, gzip or JSON.
            raise Unavailable("The keys cannot be read.") from error
        if key is None:
            raise InvalidToken("No published key has signed the token.")
        return key


def credential_of(header: str | None) -> str:
    """Return the token of an ``Authorization`` header. Raises NoToken."""
    scheme, _, token = (header or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NoToken("There is no bearer token.")
    return token.strip()


_verifiers: WeakSet[Verifier] = WeakSet()


def _after_fork() -> None:
    for verifier in _verifiers:
        verifier._follower.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

"""Verify access tokens against the keys and the feed of denials."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import jwt

from .errors import InvalidToken, NoToken
from .following import Follower

MAX_TOKEN_LENGTH = 8192
KEYS_PAUSE = 5.0  # Anyone can invent the kid of a token: tokens cause no more requests.
MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
CAPACITY = 16384  # How many tokens a verifier remembers.


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


@dataclass(eq=False)
class Verifier(Follower):
    """
    Verify the tokens of one authority. One object serves a process with its threads and its forks.

    It starts to follow the keys and the feed at the first token. If it hears nothing from the
    authority for ``bound`` seconds, ``verify`` raises Unavailable, unless ``on_silence`` is
    "accept".
    """

    _seen: dict[bytes, Token] = field(default_factory=dict, init=False, repr=False)

    def verify(self, token: str) -> Token:
        """
        Return the verified token. Raises InvalidToken or Unavailable.

        It waits for the network only at the first calls, and for a key that it does not know.
        """
        if not self._has_news():
            self._wait_for_news()
        seen = self._recall(token) or self._learn(token)
        if self.clock() >= seen.exp + self.leeway:
            raise InvalidToken("The token has expired.")
        entries, before = self._denials.entries, self._denials.before
        sid, jti, kid = seen._ids
        if sid in entries or jti in entries or kid in entries:
            raise InvalidToken("The token is denied.")
        if before and seen.iat <= max(before.get(None, -1), before.get(seen.sub, -1)):
            raise InvalidToken("The token was issued before a cut-off.")
        return seen

    async def averify(self, token: str) -> Token:
        """Do the same without blocking the event loop."""
        if self._has_news() and self._recall(token):
            return self.verify(token)
        return await asyncio.to_thread(self.verify, token)

    def _recall(self, token: str) -> Token | None:
        """Return the token if it was verified before, and its key is still published."""
        if not isinstance(token, str) or not token.isascii() or len(token) > MAX_TOKEN_LENGTH:
            raise InvalidToken("The token is no text, is not in ASCII, or is too long.")
        seen = self._seen.get(sha256(token.encode()).digest())
        return seen if seen and self._keys.get(seen.kid) is seen._key else None

    def _learn(self, token: str) -> Token:
        """Check what does not change while the key of a token is published, and remember it."""
        try:
            kid, key, claims = self._decode(token, "at+jwt", KEYS_PAUSE, self.audience)
            sub, sid, jti, exp, iat = (claims[name] for name in ("sub", "sid", "jti", "exp", "iat"))
        except (jwt.PyJWTError, *MALFORMED) as error:
            raise InvalidToken(f"The token is not valid: {type(error).__name__}") from None
        nbf = claims.get("nbf", iat)
        if {type(sub), type(sid), type(jti)} != {str} or {type(exp), type(iat), type(nbf)} != {int}:
            raise InvalidToken("The token has odd claims.")
        if max(iat, nbf) > self.clock() + self.leeway:
            raise InvalidToken("The token is from the future.")
        ids = (f"sid {sid}", f"jti {jti}", f"kid {kid}")
        seen = Token(sub, sid, jti, exp, iat, MappingProxyType(claims), kid, key, ids)
        if len(self._seen) >= CAPACITY:
            self._seen = {}
        self._seen[sha256(token.encode()).digest()] = seen
        return seen


def credential_of(header: str | None, *, required: bool = True) -> str:
    """Return the token of an ``Authorization`` header, or "". Raises NoToken if it is required."""
    scheme, _, token = (header or "").strip().partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    if required and not token:
        raise NoToken("There is no bearer token.")
    return token

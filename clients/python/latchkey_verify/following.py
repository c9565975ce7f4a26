"""Follow the keys and the feed of denials in a thread."""

import json
import logging
import os
import random
import ssl
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field
from threading import Event, Lock, Thread
from typing import Any, Literal
from urllib.parse import quote, urlsplit
from weakref import WeakSet

import jwt

from .denials import Denials
from .errors import RefusedDocument, Unavailable
from .web import Web

logger = logging.getLogger("latchkey_verify")
# The key decides the algorithm. An HMAC key would let each verifier sign tokens.
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
KEYS_AGE = 300.0
PATIENCE = 2.0  # For how long the first callers wait for the first document.
NEVER = float("-inf")
# The caller checks the types, and the times by the clock of the options.
RULES: Any = {f"verify_{claim}": False for claim in ("exp", "iat", "nbf", "sub", "jti")}


@dataclass(eq=False)
class Follower:
    """
    Follows the keys and the feed of one authority.

    The denials are complete until ``_until`` by the clock, and until ``_until_ticks`` by a
    monotonic clock: if the clock steps back, an old document does not become young again.
    """

    authority: str
    _: KW_ONLY
    issuer: str
    audience: str
    keys_url: str = ""
    feed_url: str = ""
    credential: str | None = field(default=None, repr=False)
    bound: float = 10.0  # Seconds.
    leeway: float = 10.0
    interval: float = 1.0
    on_silence: Literal["refuse", "accept"] = "refuse"
    allow_http: bool = False
    tls: ssl.SSLContext | None = None
    clock: Callable[[], float] = time.time
    ticks: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        site = self.authority.rstrip("/")
        self.keys_url = self.keys_url or f"{site}/.well-known/jwks.json"
        self.feed_url = self.feed_url or f"{site}/api/denials/"
        for url in (self.keys_url, self.feed_url):
            parts = urlsplit(url)
            plain = self.allow_http or parts.hostname in ("127.0.0.1", "::1", "localhost")
            if parts.scheme != "https" and not (parts.scheme == "http" and plain):
                raise ValueError(f"{url} is not https: an attacker could replace the keys.")
        if self.on_silence not in ("refuse", "accept"):
            raise ValueError(f'on_silence is {self.on_silence!r}. It may be "refuse" or "accept".')
        self._begin()

    def _begin(self) -> None:
        """Begin anew, also after a fork: it copies no thread, but locks that other threads hold."""
        self._web = Web(self.tls, min(5.0, self.bound / 2))
        self._keys: dict[str, jwt.PyJWK] = {}
        self._denials = Denials("")
        self._until = self._until_ticks = self._keys_read = self._begun = self._push_again = NEVER
        self._at, self._cursor = 0, ""
        self._thread: Thread | None = None
        self._settled, self._stopped = Event(), Event()
        self._lock, self._keys_lock = Lock(), Lock()
        _followers.add(self)

    def start(self) -> None:
        """Follow the feed from now on. Without this, the first token starts it."""
        with self._lock:
            if self._thread is None and not self._stopped.is_set():
                self._begun = self.ticks()
                self._thread = Thread(target=self._run, name="latchkey-verify", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop following the feed. After the bound, every call raises Unavailable."""
        self._stopped.set()
        if self._thread:
            self._thread.join(self._web.timeout)

    def _has_news(self) -> bool:
        return self.clock() <= self._until and self.ticks() <= self._until_ticks

    def _wait_for_news(self) -> None:
        """Start, and give the first document some time to come. Raises Unavailable without news."""
        self.start()
        self._settled.wait(max(0.0, self._begun + PATIENCE - self.ticks()))
        if self.on_silence == "refuse" and not self._has_news():
            raise Unavailable("There is no news of denials.")

    def _read_keys(self, pause: float) -> None:
        """Read the keys, unless that was done in the last ``pause`` seconds. Raises Unavailable."""
        with self._keys_lock:
            if self.ticks() - self._keys_read < pause:
                return
            self._keys_read = self.ticks()
            known, read = self._keys, {}
            try:
                for each in json.loads(self._web.get(self.keys_url, {}))["keys"]:
                    if isinstance(kid := each.get("kid"), str) and each.get("alg") in ALGORITHMS:
                        with suppress(jwt.PyJWTError):  # A key that this version cannot read.
                            same = kid in known and known[kid]._jwk_data == each
                            read[kid] = known[kid] if same else jwt.PyJWK(each)
            except Exception as error:  # From the network, HTTP, gzip or JSON.
                raise Unavailable(f"The keys cannot be read: {error!r}") from error
            self._keys = read

    def _decode(self, raw: str, typ: str, pause: float, audience: str | None) -> Any:
        """
        Return the ``kid``, the key and the claims of what a published key has signed.

        If the key is unknown, the keys are read again after this pause. Raises Unavailable or, if
        the text is malformed, almost anything else.
        """
        header = json.loads(urlsafe_b64decode(raw.partition(".")[0] + "=="))
        if header.get("typ") != typ or "crit" in header:
            raise jwt.InvalidTokenError("It is of another type.")
        if (kid := header["kid"]) not in self._keys:
            self._read_keys(pause)
        if not (key := self._keys.get(kid)):
            raise jwt.InvalidTokenError(f"No published key has the kid {kid!r}.")
        # Of an issuer that is None, PyJWT would accept any.
        about: Any = {"options": RULES, "issuer": self.issuer or "", "audience": audience}
        return kid, key, jwt.decode(raw, key, [key.algorithm_name], **about)

    def _accept(self, document: str) -> None:
        """
        Apply a document of the feed.

        Raises what ``_decode`` raises for a text that the authority has not signed, and
        RefusedDocument for a document that does not follow those before it.
        """
        kid, _, told = self._decode(document, "denials+jwt", 0.1, audience=None)
        at, whole = int(told["at"]), told["from"] is None
        age = self.clock() - at / 1000
        if f"kid {kid}" in self._denials.entries:
            raise RefusedDocument("Its key is denied.")
        if at < self._at or not -self.leeway <= age <= self.bound:
            raise RefusedDocument(f"It is older than another one, or {age:.1f} s old.")
        follows = whole or (told["from"], told["epoch"]) == (self._cursor, self._denials.epoch)
        self._cursor = ""  # Until all is applied: after an error, the whole list is read.
        if not follows:
            raise RefusedDocument("It does not continue what is known.")
        denials = Denials(told["epoch"]) if whole else self._denials
        denials.apply(told)
        if told["denied"]["kid"]:
            # Another key signs now, so the next token may cause the keys to be read.
            self._keys_read = NEVER
        self._denials, self._cursor, self._at = denials, told["to"], at
        self._until = at / 1000 + self.bound
        self._until_ticks = self.ticks() + self.bound - max(age, 0)
        self._settled.set()

    def _documents(self) -> Iterator[str]:
        """Yield what the authority pushes, until the stream ends, and what it answers to a poll."""
        if time.monotonic() >= self._push_again:
            self._push_again = time.monotonic() + 15  # Some servers do not push.
            for document in self._web.events(*self._request("events/")):
                yield document
                self._push_again = time.monotonic() + 1
        yield self._web.get(*self._request(""))

    def _request(self, path: str) -> tuple[str, dict[str, str]]:
        """Return the address and the headers for what follows the cursor."""
        after = f"?after={quote(self._cursor, safe='')}" if self._cursor else ""
        headers = {"Authorization": f"Bearer {self.credential}"} if self.credential else {}
        return f"{self.feed_url}{path}{after}", headers

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                for document in self._documents():
                    if self._stopped.is_set():
                        return
                    self._accept(document)
                    self._read_keys(KEYS_AGE)
            except Exception as error:
                logger.warning("The feed of denials was not read: %r", error)
            # At random, so that readers spread. At least twice per bound.
            self._stopped.wait(min(self.interval, self.bound / 2) * random.uniform(0.8, 1.0))  # noqa: S311


_followers: WeakSet[Follower] = WeakSet()


def _after_fork() -> None:
    for follower in _followers:
        follower._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

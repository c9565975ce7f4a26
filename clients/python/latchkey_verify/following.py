"""Follow the keys and the feed of denials in a thread."""

import json
import logging
import random
import time
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import quote

import jwt

from .denials import Denials
from .errors import RefusedDocument
from .options import Options
from .web import Web

logger = logging.getLogger("latchkey_verify")
# The key decides the algorithm. An HMAC key would let each verifier sign tokens.
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
KEYS_PAUSE = 5.0  # Anyone can invent the kid of a token: tokens cause no more requests.
KEYS_AGE = 300.0
LONGEST_PAUSE = 5.0
PATIENCE = 2.0
MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


class Follower:
    """
    Follows the keys and the feed of one authority.

    ``denials`` is complete until ``until`` by the clock, and until ``until_ticks`` by a monotonic clock:
    if the clock steps back, an old document does not become young again.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._web = Web(options.tls, min(5.0, options.bound / 2))
        self.keys: dict[str, jwt.PyJWK] = {}
        self.denials = Denials()
        self.until = self.until_ticks = self._keys_read = float("-inf")
        self._at, self._cursor = 0, ""
        self.begin()

    def begin(self) -> None:
        """Forget the thread, which a fork does not copy, and locks that other threads may have held."""
        self.thread: Thread | None = None
        self.settled, self.stopped = Event(), Event()
        self._lock, self._keys_lock = Lock(), Lock()
        self._started, self._push_again = self._options.ticks(), 0.0

    def start(self) -> None:
        with self._lock:
            if self.thread is None and not self.stopped.is_set():
                self._started = self._options.ticks()
                self.thread = Thread(target=self._run, name="latchkey-verify", daemon=True)
                self.thread.start()

    def close(self) -> None:
        self.stopped.set()
        if self.thread:
            self.thread.join(self._web.timeout)

    def has_news(self) -> bool:
        return self._options.clock() <= self.until and self._options.ticks() <= self.until_ticks

    def patience_left(self) -> float:
        """Return for how many seconds the first callers may wait for the first news."""
        settled = self.settled.is_set() or self.stopped.is_set()
        return 0.0 if settled else self._started + PATIENCE - self._options.ticks()

    def would_read_keys(self, pause: float = KEYS_PAUSE) -> bool:
        return self._options.ticks() - self._keys_read >= pause

    def key_of(self, kid: str, pause: float = KEYS_PAUSE) -> jwt.PyJWK | None:
        """Return the key, after reading the keys again if it is unknown. Raises OSError."""
        with self._keys_lock:
            if kid not in self.keys and self.would_read_keys(pause):
                self._read_keys()
            return self.keys.get(kid)

    def _read_keys(self) -> None:
        self._keys_read = self._options.ticks()
        read: dict[str, jwt.PyJWK] = {}
        for each in json.loads(self._web.get(self._options.keys_url, {}))["keys"]:
            if isinstance(each.get("kid"), str) and each.get("alg") in ALGORITHMS:
                known = self.keys.get(each["kid"])
                with suppress(jwt.PyJWTError):  # A key that this version cannot read.
                    same = known is not None and known._jwk_data == each
                    read[each["kid"]] = known if known and same else jwt.PyJWK(each)
        self.keys = read

    def accept(self, document: str) -> None:
        """Apply a document of the feed. Raises RefusedDocument if it must not be applied."""
        try:
            self._accept(document)
        except (jwt.PyJWTError, *MALFORMED) as error:
            raise RefusedDocument(f"Not a document of this feed: {error!r}") from error

    def _accept(self, document: str) -> None:
        header = jwt.get_unverified_header(document)
        if header.get("typ") != "denials+jwt" or f"kid {header['kid']}" in self.denials.entries:
            raise RefusedDocument("It is of another type, or its key is denied.")
        key = self.key_of(header["kid"], pause=0.1)
        if key is None:
            raise RefusedDocument("No published key has signed it.")
        rules: Any = {"verify_aud": False, "require": ["iss"]}
        told = jwt.decode(document, key, [key.algorithm_name], rules, issuer=self._options.issuer)
        at, epoch = int(told["at"]), told["epoch"]
        age = self._options.clock() - at / 1000
        if at < self._at or not -self._options.leeway <= age <= self._options.bound:
            raise RefusedDocument(f"It is older than another one, or {age:.1f} s old.")
        if told["from"] is None:
            denials = Denials(epoch)
            denials.apply(told)
            self.denials = denials
        else:
            follows = (told["from"], epoch) == (self._cursor, self.denials.epoch)
            self._cursor = ""  # Until all is applied: after an error, the whole list is read.
            if not follows:
                raise RefusedDocument("It does not continue what is known.")
            self.denials.apply(told)
        if told["denied"]["kid"]:
            # Another key signs now, so the next token may cause the keys to be read.
            self._keys_read = float("-inf")
        self._cursor, self._at = told["to"], at
        self.until = at / 1000 + self._options.bound
        self.until_ticks = self._options.ticks() + self._options.bound - max(age, 0)
        self.settled.set()

    def push(self) -> None:
        """Apply what the authority pushes, until the stream ends. Some servers do not push."""
        self._push_again = time.monotonic() + 30
        with self._web.open(*self._request("events/")) as answer:
            if answer.status == 200 and answer.headers.get_content_type() == "text/event-stream":
                for document in self._web.events(answer):
                    if self.stopped.is_set():
                        break
                    self.accept(document)
                    self._push_again = time.monotonic() + 1
                    self._refresh_keys()

    def _request(self, path: str) -> tuple[str, dict[str, str]]:
        """Return the address and the headers for what follows the cursor."""
        after = f"?after={quote(self._cursor, safe='')}" if self._cursor else ""
        credential = self._options.credential
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        return f"{self._options.feed_url}{path}{after}", headers

    def _refresh_keys(self) -> None:
        if self.would_read_keys(KEYS_AGE):
            with self._keys_lock:
                self._read_keys()

    def _run(self) -> None:
        failures, stopped = 0, self.stopped
        while not stopped.is_set():
            try:
                if time.monotonic() >= self._push_again:
                    self.push()
                self.accept(self._web.get(*self._request("")))
                self._refresh_keys()
                failures = 0
            except Exception as error:
                logger.warning("The feed of denials was not read: %r", error)
                # Another process of the authority may be behind, which is no reason to ask less often.
                failures = 1 if isinstance(error, RefusedDocument) else failures + 1
                if failures == 1:
                    self._push_again = min(self._push_again, time.monotonic() + 2)
            pause = min(self._options.interval * 2 ** min(max(failures - 1, 0), 9), LONGEST_PAUSE)
            stopped.wait(pause * random.uniform(0.8, 1.0))  # noqa: S311  # So that readers spread.

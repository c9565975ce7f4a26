"""The options of a verifier."""

import ssl
import time
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(eq=False)
class Options:
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
        self.keys_url = self._checked(self.keys_url or f"{site}/.well-known/jwks.json")
        self.feed_url = self._checked(self.feed_url or f"{site}/api/denials/")
        if self.on_silence not in ("refuse", "accept"):
            raise ValueError(f'on_silence is {self.on_silence!r}. It may be "refuse" or "accept".')

    def _checked(self, url: str) -> str:
        """Return the address. Raises ValueError if an attacker on the connection could replace the keys."""
        parts = urlsplit(url)
        plain = self.allow_http or parts.hostname in LOOPBACK
        if parts.scheme == "https" or (parts.scheme == "http" and plain):
            return url
        raise ValueError(
            f"{url} is not https: an attacker on the connection could replace the keys."
        )

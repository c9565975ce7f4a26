"""
Limits on requests that bring a token. Only junk is counted by address.

    the request brings                       refresh, verify, introspect   revoke, blacklist, logout
    ──────────────────────────────────────   ───────────────────────────   ─────────────────────────
    junk: no token that this site has        counted by the client's       counted by the client's
    signed (``NotSignedHere``)               network                       network
    a token that this site has signed        limited by its session        never limited
    no token at all                          not counted                   not counted

So junk cannot use up a limit of other clients behind the same address, and no limit prevents a
revocation. The signature is checked first, which costs no query.

Requests are counted in Django's cache: for all processes together if CACHES names a server,
otherwise per process. If the cache is lost, only the counts are lost.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging import WARNING

from django.core.cache import cache
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from .. import clock, signals
from ..client import ip_address_of
from ..conf import conf
from ..errors import NotSignedHere, TokenError
from ..jose import Claims
from ..limits import network_of, parse_rate

CACHE_PAUSE = 5.0  # seconds for which the cache is not used after it failed


@dataclass(frozen=True, slots=True)
class TokenLimit:
    """The limit that the rate of ``setting`` sets, in fixed windows."""

    setting: str

    def count_junk(self, request: Request, *refusals: TokenError) -> None:
        """
        Count a request by its client's network if every token in it was refused as junk.

        Raises Throttled, which replaces the usual answer to such a token.
        """
        if all(isinstance(refusal, NotSignedHere) for refusal in refusals):
            network = network_of(ip_address_of(request))
            if network is not None:
                self._count(network)

    @contextmanager
    def counting_junk(self, request: Request) -> Iterator[None]:
        """Do ``count_junk`` with the TokenError of the block, if it raises one."""
        try:
            yield
        except TokenError as refusal:
            self.count_junk(request, refusal)
            raise

    def count_session(self, claims: Claims) -> None:
        """Count a token of this site by its session. Raises Throttled."""
        self._count(str(claims.sid))

    def _count(self, caller: str) -> None:
        rate = parse_rate(getattr(conf, self.setting))
        if rate is None:
            return
        window, elapsed = divmod(clock.now().timestamp(), rate.period)
        key = f"{self.setting}:{caller}:{int(window)}"
        if _cache.count(key, seconds=rate.period) > rate.limit:
            raise Throttled(rate.period - elapsed)


REFRESH = TokenLimit("TOKENS_REFRESH_THROTTLE")
VERIFY = TokenLimit("TOKENS_VERIFY_THROTTLE")
REVOKE = TokenLimit("TOKENS_REVOKE_THROTTLE")
INTROSPECT = TokenLimit("TOKENS_INTROSPECT_THROTTLE")


class _Cache:
    """Django's cache. While it fails, requests are not counted, and so not refused."""

    def __init__(self) -> None:
        self.asleep_until = 0.0

    def count(self, key: str, *, seconds: int) -> int:
        """Add one to the count of ``key`` and return it, or 0 if the cache does not answer."""
        if time.monotonic() < self.asleep_until:
            return 0
        try:
            return 1 if cache.add(key, 1, seconds) else int(cache.incr(key))
        except ValueError:
            return 1  # The key expired between add() and incr().
        except Exception as error:
            # Each cache backend has its own exceptions.
            self.asleep_until = time.monotonic() + CACHE_PAUSE
            signals.log("requests_not_counted", level=WARNING, reason=type(error).__name__)
            return 0


_cache = _Cache()

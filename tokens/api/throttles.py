"""
DRF throttles for views that ask for a password again, and for requests with a token.

Requests with a token are counted in Django's cache: for all processes together if CACHES names a
server, otherwise per process. If the cache is lost, only the counts are lost.
"""

import time
from datetime import timedelta
from logging import WARNING
from typing import Any, ClassVar

from django.core.cache import cache
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from .. import clock, signals
from ..client import ip_address_of
from ..conf import conf
from ..errors import TooManyAttempts
from ..limits import Charge, network_of, parse_rate, take, waits

CACHE_PAUSE = 5.0  # seconds for which the cache is not used after it failed


class PasswordThrottle(BaseThrottle):
    """
    Allow TOKENS_ACCOUNT_THROTTLE passwords per signed-in user.

    It applies to views whose ``throttle_scope`` is ``password``. They ask for the password again,
    which an attacker who uses the session could otherwise guess.
    """

    _wait = timedelta(0)

    def allow_request(self, request: Request, view: Any) -> bool:
        rate = parse_rate(conf.TOKENS_ACCOUNT_THROTTLE)
        asks_password = getattr(view, "throttle_scope", None) == "password"
        if rate is None or not asks_password or request.method in SAFE_METHODS:
            return True
        now = clock.now()
        charges = [Charge(f"password {request.user.pk}", rate)]
        try:
            for self._wait in waits(charges, now=now).values():
                return False
            take(charges, now=now)
        except TooManyAttempts as error:
            self._wait = error.wait
            return False
        return True

    def wait(self) -> float:
        return self._wait.total_seconds()


class RequestThrottle(BaseThrottle):
    """Limit the requests per client network in fixed windows, by the rate of ``setting``."""

    setting: ClassVar[str]
    _wait = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        rate = parse_rate(getattr(conf, self.setting))
        if rate is None or request.method in SAFE_METHODS:
            return True
        window, elapsed = divmod(clock.now().timestamp(), rate.period)
        self._wait = rate.period - elapsed
        key = f"{self.setting}:{network_of(ip_address_of(request))}:{int(window)}"
        return _cache.count(key, seconds=rate.period) <= rate.limit

    def wait(self) -> float:
        return max(1.0, self._wait)


class RefreshThrottle(RequestThrottle):
    setting = "TOKENS_REFRESH_THROTTLE"


class VerifyThrottle(RequestThrottle):
    setting = "TOKENS_VERIFY_THROTTLE"


class RevokeThrottle(RequestThrottle):
    setting = "TOKENS_REVOKE_THROTTLE"


class IntrospectThrottle(RequestThrottle):
    setting = "TOKENS_INTROSPECT_THROTTLE"


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

"""
The app's settings as typed properties, each read from Django's settings when it is first used.

They do not change while a process runs; where a test changes them, Django's signal is heard.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

ClaimsHook = Callable[[Any], Mapping[str, Any]]


class Settings:
    """
    Names equal the names in Django's settings, so that they can be searched for.

    Kept as plain attributes: a request reads a dozen, and Django's own object takes a microsecond
    to tell that a name is not set.
    """

    @cached_property
    def TOKENS_SECRET(self) -> str:
        """Seals the key ring; never signs."""
        return str(getattr(settings, "TOKENS_SECRET", ""))

    @cached_property
    def TOKENS_SECRET_FALLBACKS(self) -> list[str]:
        """Former secrets: they open what they sealed and seal nothing new."""
        return list(getattr(settings, "TOKENS_SECRET_FALLBACKS", ()))

    @cached_property
    def TOKENS_ISSUER(self) -> str:
        return str(getattr(settings, "TOKENS_ISSUER", "latchkey"))

    @cached_property
    def TOKENS_AUDIENCE(self) -> str:
        return str(getattr(settings, "TOKENS_AUDIENCE", "latchkey"))

    @cached_property
    def TOKENS_ALGORITHM(self) -> str:
        """The algorithm of the first signing key; later ones are chosen when they are made."""
        return str(getattr(settings, "TOKENS_ALGORITHM", "HS256"))

    @cached_property
    def TOKENS_KEY_MAX_AGE(self) -> timedelta:
        """How long a key may sign before ``check --deploy`` asks for a rotation."""
        return self._lifetime("TOKENS_KEY_MAX_AGE", timedelta(days=90))

    @cached_property
    def TOKENS_ACCESS_LIFETIME(self) -> timedelta:
        return self._lifetime("TOKENS_ACCESS_LIFETIME", timedelta(minutes=5))

    @cached_property
    def TOKENS_REFRESH_LIFETIME(self) -> timedelta:
        """How long a session may lie idle between two refreshes."""
        return self._lifetime("TOKENS_REFRESH_LIFETIME", timedelta(days=14))

    @cached_property
    def TOKENS_SESSION_LIFETIME(self) -> timedelta:
        """The absolute limit of a session, however often it is refreshed."""
        return self._lifetime("TOKENS_SESSION_LIFETIME", timedelta(days=90))

    @cached_property
    def TOKENS_REFRESH_GRACE(self) -> timedelta:
        """How long the previous refresh token is answered with the current pair again."""
        return self._lifetime("TOKENS_REFRESH_GRACE", timedelta(seconds=10))

    @cached_property
    def TOKENS_LEEWAY(self) -> timedelta:
        """How far two hosts' clocks may differ when ``exp`` and ``iat`` are compared."""
        return self._lifetime("TOKENS_LEEWAY", timedelta(seconds=10))

    @cached_property
    def TOKENS_RETENTION(self) -> timedelta:
        """How long a session is kept on record after it ended or expired."""
        return self._lifetime("TOKENS_RETENTION", timedelta(days=90))

    @cached_property
    def TOKENS_INCIDENT_RETENTION(self) -> timedelta:
        """The same for one whose refresh token was used again, which looked stolen."""
        return self._lifetime("TOKENS_INCIDENT_RETENTION", timedelta(days=365))

    @cached_property
    def TOKENS_DENYLIST_MODE(self) -> str:
        """``strict`` asks the database at each request, ``snapshot`` this process's copy."""
        return str(getattr(settings, "TOKENS_DENYLIST_MODE", "strict"))

    @cached_property
    def TOKENS_DENYLIST_MAX_STALENESS(self) -> timedelta:
        """How old the snapshot mode's copy of the denied ids may be."""
        return self._lifetime("TOKENS_DENYLIST_MAX_STALENESS", timedelta(seconds=1))

    @cached_property
    def TOKENS_LOGIN_THROTTLE(self) -> str:
        """Wrong sign-ins per client address, such as ``10/min``; empty switches the limit off."""
        return str(getattr(settings, "TOKENS_LOGIN_THROTTLE", "10/min"))

    @cached_property
    def TOKENS_ACCOUNT_THROTTLE(self) -> str:
        """Wrong sign-ins per account, from wherever; None is as TOKENS_LOGIN_THROTTLE."""
        rate = getattr(settings, "TOKENS_ACCOUNT_THROTTLE", None)
        return self.TOKENS_LOGIN_THROTTLE if rate is None else str(rate)

    @cached_property
    def TOKENS_REFRESH_THROTTLE(self) -> str:
        """Refreshes per client address."""
        return str(getattr(settings, "TOKENS_REFRESH_THROTTLE", "600/min"))

    @cached_property
    def TOKENS_VERIFY_THROTTLE(self) -> str:
        """Verifications per client address, which may be another service's."""
        return str(getattr(settings, "TOKENS_VERIFY_THROTTLE", "6000/min"))

    @cached_property
    def TOKENS_REVOKE_THROTTLE(self) -> str:
        """Revocations and sign-outs per client address."""
        return str(getattr(settings, "TOKENS_REVOKE_THROTTLE", "600/min"))

    @cached_property
    def TOKENS_INTROSPECT_THROTTLE(self) -> str:
        """Introspections per client address, by callers with the permission."""
        return str(getattr(settings, "TOKENS_INTROSPECT_THROTTLE", "6000/min"))

    @cached_property
    def TOKENS_NOTIFY_USERS(self) -> bool:
        """Whether people get mail on a sign-in from a new device, and on a token's reuse."""
        return bool(getattr(settings, "TOKENS_NOTIFY_USERS", False))

    @cached_property
    def TOKENS_TRUSTED_PROXIES(self) -> int:
        """How many proxies of ours append to ``X-Forwarded-For``; 0 ignores the header."""
        return int(getattr(settings, "TOKENS_TRUSTED_PROXIES", 0))

    @cached_property
    def TOKENS_COOKIE_SECURE(self) -> bool:
        """Whether the cookies are for HTTPS alone, and named so."""
        return bool(getattr(settings, "TOKENS_COOKIE_SECURE", True))

    @cached_property
    def TOKENS_CLAIMS_HOOK(self) -> ClaimsHook | None:
        """
        The dotted path of ``hook(session) -> mapping``, called at every issue.

        Its claims go into the access token and may not replace the registered ones.
        """
        path = getattr(settings, "TOKENS_CLAIMS_HOOK", None)
        return cast(ClaimsHook, import_string(path)) if path else None

    def forget(self) -> None:
        """Read each setting again when it is next used."""
        vars(self).clear()

    def _lifetime(self, name: str, default: timedelta) -> timedelta:
        value = getattr(settings, name, default)
        if not isinstance(value, timedelta):
            raise ImproperlyConfigured(f"{name} is {value!r}; set it to a datetime.timedelta.")
        return value


def _follow(setting: str, **kwargs: Any) -> None:
    if setting.startswith("TOKENS_"):
        conf.forget()


conf = Settings()
setting_changed.connect(_follow, dispatch_uid="tokens.conf")

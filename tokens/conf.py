"""
The settings of the app: each is declared once, and read from Django's settings at every use.

``conf.TOKENS_LEEWAY`` is the value of the setting, or its default where the project sets none.
``Settings.TOKENS_LEEWAY.default`` is the default; it can be read while settings are still loading.
docs/settings.md documents every setting.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Generic, Self, TypeVar, cast, overload

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

ClaimsHook = Callable[[Any], Mapping[str, Any]]
UserRule = Callable[[Any], bool]

Default = TypeVar("Default")
Value = TypeVar("Value")


class _WrongTypeError(Exception):
    """The value has another type; the message says which values are allowed."""


class Setting(Generic[Default, Value]):
    """
    One setting, whose name is that of the attribute.

    ``read`` returns the value for what the project has set, or for the default, and raises
    _WrongTypeError. The value of a ``secret`` setting is never quoted in an error.
    """

    def __init__(
        self,
        read: Callable[[Any], Value],
        default: Default,
        description: str,
        *,
        secret: bool = False,
    ) -> None:
        self._read = read
        self.default = default
        self.__doc__ = description
        self._secret = secret

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...

    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        """Return the current value. Raises ImproperlyConfigured for one of the wrong type."""
        if instance is None:
            return self
        value = getattr(settings, self.name, self.default)
        try:
            return self._read(value)
        except _WrongTypeError as allowed:
            shown = f"of type {type(value).__name__}" if self._secret else repr(value)
            raise ImproperlyConfigured(f"{self.name} is {shown}. It may be {allowed}.") from None


def text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise _WrongTypeError("a string")


def texts(value: Any) -> list[str]:
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return list(value)
    raise _WrongTypeError("a list of strings")


def duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    raise _WrongTypeError("a datetime.timedelta")


def whole_number(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _WrongTypeError("a whole number")


def flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _WrongTypeError("True or False")


def text_or_login_throttle(value: Any) -> str:
    if value is None:
        return conf.TOKENS_LOGIN_THROTTLE
    if isinstance(value, str):
        return value
    raise _WrongTypeError("a string, or None for the value of TOKENS_LOGIN_THROTTLE")


def claims_hook(value: Any) -> ClaimsHook | None:
    """Return what the dotted path names. Raises ImportError."""
    if value in (None, ""):
        return None
    if isinstance(value, str):
        return cast(ClaimsHook, import_string(value))
    raise _WrongTypeError("a dotted path, or None")


def user_rule(value: Any) -> UserRule | None:
    """Return what the dotted path names. Raises ImportError."""
    return cast(UserRule | None, claims_hook(value))


class Settings:
    # Keys

    TOKENS_SECRET = Setting(text, "", "Encrypts the signing keys; never signs.", secret=True)
    TOKENS_SECRET_FALLBACKS = Setting(
        texts, list[str](), "Former secrets, which only decrypt signing keys.", secret=True
    )
    TOKENS_ALGORITHM = Setting(text, "HS256", "The algorithm of the first signing key.")
    TOKENS_KEY_MAX_AGE = Setting(
        duration, timedelta(days=90), "How long a key may sign before check --deploy warns."
    )

    # Tokens and sessions

    TOKENS_ISSUER = Setting(text, "latchkey", "The claim iss of every token.")
    TOKENS_AUDIENCE = Setting(text, "latchkey", "The claim aud of every token.")
    TOKENS_ACCESS_LIFETIME = Setting(
        duration, timedelta(minutes=5), "How long an access token is valid."
    )
    TOKENS_REFRESH_LIFETIME = Setting(
        duration, timedelta(days=14), "How long a session may be idle between two refreshes."
    )
    TOKENS_SESSION_LIFETIME = Setting(
        duration, timedelta(days=90), "When a session ends, however often it is refreshed."
    )
    TOKENS_REFRESH_GRACE = Setting(
        duration,
        timedelta(seconds=30),
        "How long a superseded refresh token gets the current pair again.",
    )
    TOKENS_GRACE_ELSEWHERE = Setting(
        text, "warn", "warn or end: a superseded token from another network and user agent."
    )
    TOKENS_SESSIONS_PER_USER = Setting(
        whole_number, 100, "How many sessions a user may have at once; 0: any number."
    )
    TOKENS_LEEWAY = Setting(
        duration, timedelta(seconds=10), "How far the clocks of two hosts may differ."
    )

    # Denylist mode

    TOKENS_DENYLIST_MODE = Setting(
        text, "strict", "strict: a query per request. snapshot: this process's copy."
    )
    TOKENS_DENYLIST_MAX_STALENESS = Setting(
        duration, timedelta(seconds=1), "How old the copy may be in snapshot mode."
    )

    # Limits: a rate such as 10/min; an empty string is no limit

    TOKENS_LOGIN_THROTTLE = Setting(text, "10/min", "Sign-in attempts per client address.")
    TOKENS_ACCOUNT_THROTTLE = Setting(
        text_or_login_throttle, None, "Sign-in attempts per account; None: TOKENS_LOGIN_THROTTLE."
    )
    TOKENS_REFRESH_THROTTLE = Setting(text, "600/min", "Refreshes per client address.")
    TOKENS_VERIFY_THROTTLE = Setting(text, "6000/min", "Verifications per client address.")
    TOKENS_REVOKE_THROTTLE = Setting(
        text, "600/min", "Revocations and sign-outs per client address."
    )
    TOKENS_INTROSPECT_THROTTLE = Setting(text, "6000/min", "Introspections per client address.")

    # Cookies and proxies

    TOKENS_COOKIE_SECURE = Setting(flag, True, "Whether browsers send the cookies over HTTPS only.")
    TOKENS_TRUSTED_PROXIES = Setting(
        whole_number, 0, "How many of your proxies append to X-Forwarded-For."
    )

    # Retention

    TOKENS_RETENTION = Setting(
        duration, timedelta(days=90), "How long a session is kept after it ended or expired."
    )
    TOKENS_INCIDENT_RETENTION = Setting(
        duration, timedelta(days=365), "How long a session is kept that ended because of reuse."
    )

    # Notifications

    TOKENS_NOTIFY_USERS = Setting(flag, False, "Whether users get mail about their sessions.")

    # Hooks

    TOKENS_CLAIMS_HOOK = Setting(
        claims_hook, None, "The dotted path of hook(session), which returns additional claims."
    )
    TOKENS_USER_RULE = Setting(
        user_rule,
        None,
        "The dotted path of rule(user), which returns whether the user may come in.",
    )


def apply_defaults() -> None:
    """
    Set the default of each setting that the project has not set.

    A look-up of a name that Django's settings lack takes microseconds, at every use.
    """
    for name, setting in vars(Settings).items():
        if isinstance(setting, Setting) and not hasattr(settings, name):
            setattr(settings, name, setting.default)


conf = Settings()

"""
The settings of the app: each is declared once, and read from Django's settings at every use.

``conf.TOKENS_LEEWAY`` is the value of the setting, or its default where the project sets none.
``Settings.TOKENS_LEEWAY.default`` is the default; it can be read while settings are still loading.
docs/settings.md documents every setting. ``declaration`` has how a setting is declared and read.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings

from .declaration import (
    Setting,
    WrongTypeError,
    claims_hook,
    duration,
    flag,
    serializer_class,
    text,
    text_or_none,
    texts,
    user_language,
    user_rule,
    whole_number,
)

__all__ = ["Setting", "Settings", "apply_defaults", "conf"]


def text_or_login_throttle(value: Any) -> str:
    if value is None:
        return conf.TOKENS_LOGIN_THROTTLE
    if isinstance(value, str):
        return value
    raise WrongTypeError("a string, or None for the value of TOKENS_LOGIN_THROTTLE")


def site_throttle(value: Any) -> str:
    if value is None:
        return "1000/min" if conf.TOKENS_LOGIN_THROTTLE else ""
    if isinstance(value, str):
        return value
    raise WrongTypeError(
        "a string, or None: 1000/min, or no limit if TOKENS_LOGIN_THROTTLE is empty"
    )


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
    TOKENS_AUDIENCE = Setting(text, "latchkey", "The claim aud of every access token.")
    TOKENS_CLIENT_ID = Setting(text, "", "The claim client_id of access tokens; empty: none.")
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
    TOKENS_ROTATION = Setting(
        text,
        "always",
        "always, or on_proof: a first refresh token is good until a successor comes.",
    )
    TOKENS_RETURN_REFRESH_TOKEN = Setting(
        flag, True, "Whether the answer to a refresh has the next refresh token."
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

    # Open connections

    TOKENS_CONNECTION_EXPIRY_GRACE = Setting(
        duration,
        timedelta(seconds=30),
        "How long a connection stays open after its access token expired.",
    )
    TOKENS_CONNECTIONS_WITHOUT_DATABASE = Setting(
        text, "keep", "keep or close: open connections while the database is away."
    )

    # Feed of denials

    TOKENS_FEED_READERS = Setting(
        text, "services", "services: those with a key that the admin lists. everybody: no key."
    )

    # Limits: a rate such as 10/min; an empty string is no limit

    TOKENS_LOGIN_THROTTLE = Setting(text, "10/min", "Sign-in attempts per client address.")
    TOKENS_ACCOUNT_THROTTLE = Setting(
        text_or_login_throttle, None, "Sign-in attempts per account; None: TOKENS_LOGIN_THROTTLE."
    )
    TOKENS_SITE_THROTTLE = Setting(
        site_throttle,
        None,
        "Wrong passwords of the whole site; None: 1000/min, if sign-ins are limited.",
    )
    TOKENS_PASSWORD_CHECKS = Setting(
        whole_number, 2, "How many passwords a process checks at once; 0: any number."
    )
    # Junk is a token that this site has not signed.
    TOKENS_REFRESH_THROTTLE = Setting(
        text, "600/min", "Refreshes per session, and refreshes with junk per client address."
    )
    TOKENS_VERIFY_THROTTLE = Setting(
        text, "6000/min", "Verifications per session, and those of junk per client address."
    )
    TOKENS_REVOKE_THROTTLE = Setting(
        text, "600/min", "Revocations of and sign-outs with junk, per client address."
    )
    TOKENS_INTROSPECT_THROTTLE = Setting(
        text, "6000/min", "Introspections per session, and those of junk per client address."
    )

    # Requests

    TOKENS_HEADER_NAME = Setting(text, "Authorization", "The request header with the access token.")
    TOKENS_HEADER_TYPES = Setting(
        texts, ("Bearer",), "The schemes before the token, in any case; challenges name the first."
    )

    # Cookies and proxies

    TOKENS_COOKIE_SECURE = Setting(flag, True, "Whether browsers send the cookies over HTTPS only.")
    TOKENS_TRUSTED_PROXIES = Setting(
        whole_number, 0, "How many of your proxies append to TOKENS_FORWARDED_HEADER."
    )
    TOKENS_FORWARDED_HEADER = Setting(
        text, "x-forwarded-for", "x-forwarded-for or forwarded: where proxies write the address."
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
    TOKENS_USER_LANGUAGE = Setting(
        user_language,
        None,
        "The dotted path of language(user), for mail; None: LANGUAGE_CODE.",
    )

    # Metrics and spans

    TOKENS_METRICS = Setting(flag, False, "Whether events are counted for Prometheus.")
    TOKENS_METRICS_TOKEN = Setting(
        text_or_none,
        "",
        "The bearer token for the page of the metrics; None: no token is needed.",
        secret=True,
    )
    TOKENS_SPANS = Setting(flag, False, "Whether OpenTelemetry gets a span for each verb.")

    # Token Status List

    TOKENS_STATUS_LIST_URL = Setting(
        text_or_none,
        "",
        "Where status_list.urls is included, as other services reach it; None: no lists.",
    )
    TOKENS_STATUS_LIST_TTL = Setting(
        duration, timedelta(seconds=30), "How long other services may keep a status list."
    )

    # Pages

    TOKENS_SITE_NAME = Setting(
        text,
        "",
        "The site's name in pages and mail; empty: the name or the host that Django has.",
    )
    TOKENS_HOME_URL = Setting(
        text, "", "The URL or route that the site's name links to; empty: the first page."
    )
    TOKENS_ME_SERIALIZER = Setting(
        serializer_class, None, "The dotted path of the serializer of me/; None: the app's own."
    )

    # Hooks

    TOKENS_CLAIMS_HOOK = Setting(
        claims_hook, None, "The dotted path of hook(session), which returns additional claims."
    )
    TOKENS_USER_RULE = Setting(
        user_rule,
        None,
        "The dotted path of rule(user), which returns whether the user may be signed in.",
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

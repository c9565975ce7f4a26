"""Settings that make no sense by themselves, or not together."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Warning
from django.db import DEFAULT_DB_ALIAS, connections, router
from rest_framework.settings import api_settings

from ..authentication import JWTAuthentication
from ..conf import conf
from ..limits.counts import parse_rate
from ..models import DeniedToken, Session, SigningKey, ThrottleCount

MAXIMUM_LEEWAY = timedelta(seconds=10)
THROTTLES = [
    f"TOKENS_{what}_THROTTLE"
    for what in ("ACCOUNT", "LOGIN", "REFRESH", "VERIFY", "REVOKE", "INTROSPECT")
]


def check_lifetimes(**kwargs: Any) -> list[CheckMessage]:
    """A life of zero locks everybody out; an order upside down makes a limit that never acts."""
    messages: list[CheckMessage] = []
    access, refresh = conf.TOKENS_ACCESS_LIFETIME, conf.TOKENS_REFRESH_LIFETIME
    if not timedelta(0) < access < refresh <= conf.TOKENS_SESSION_LIFETIME:
        messages.append(
            Error(
                f"TOKENS_ACCESS_LIFETIME is {access}, TOKENS_REFRESH_LIFETIME is {refresh} and "
                f"TOKENS_SESSION_LIFETIME is {conf.TOKENS_SESSION_LIFETIME}.",
                hint="The first must be positive and shorter than the second, and the second at "
                "most the third; 5 minutes, 14 days and 90 days are usual.",
                id="tokens.E004",
            )
        )
    if not timedelta(0) <= conf.TOKENS_LEEWAY <= MAXIMUM_LEEWAY:
        messages.append(
            Error(
                f"TOKENS_LEEWAY is {conf.TOKENS_LEEWAY}.",
                hint="Set it to 10 seconds at most, and let NTP keep the clocks together.",
                id="tokens.E005",
            )
        )
    if not timedelta(0) <= conf.TOKENS_REFRESH_GRACE < access:
        messages.append(
            Error(
                f"TOKENS_REFRESH_GRACE is {conf.TOKENS_REFRESH_GRACE}.",
                hint="Set it to 0 or more, and to less than TOKENS_ACCESS_LIFETIME; 10 s is usual.",
                id="tokens.E006",
            )
        )
    return messages


def check_retention(**kwargs: Any) -> list[CheckMessage]:
    """While a token can be good, its session's row must be there to tell why it is not."""
    kept, incidents = conf.TOKENS_RETENTION, conf.TOKENS_INCIDENT_RETENTION
    if conf.TOKENS_REFRESH_LIFETIME <= kept <= incidents:
        return []
    return [
        Error(
            f"TOKENS_RETENTION is {kept} and TOKENS_INCIDENT_RETENTION is {incidents}.",
            hint="The first must be at least TOKENS_REFRESH_LIFETIME, and the second at least the "
            "first; 90 and 365 days are usual.",
            id="tokens.E011",
        )
    ]


def check_claims_hook(**kwargs: Any) -> list[CheckMessage]:
    """A hook that cannot be imported would fail every sign-in."""
    try:
        hook = conf.TOKENS_CLAIMS_HOOK
    except ImportError as error:
        trouble = str(error)
    else:
        if hook is None or callable(hook):
            return []
        trouble = "it cannot be called"
    return [
        Error(
            f"TOKENS_CLAIMS_HOOK: {trouble}.",
            hint="Set it to the dotted path of a function hook(session), or to None.",
            id="tokens.E012",
        )
    ]


def check_throttles(**kwargs: Any) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    # By its rate: an account's is by default the sign-ins', and would be complained of twice.
    names = {getattr(conf, name): name for name in THROTTLES}
    for rate, name in names.items():
        try:
            parse_rate(rate)
        except ValueError as error:
            messages.append(
                Error(
                    f"{name}: {error}.",
                    hint="Set it to a rate such as 10/min, or to an empty string for no limit.",
                    id="tokens.E008",
                )
            )
    return messages


def check_denylist_mode(**kwargs: Any) -> list[CheckMessage]:
    """A bound that cannot be kept is a promise that is not; found at start, nobody relied on it."""
    mode, bound = conf.TOKENS_DENYLIST_MODE, conf.TOKENS_DENYLIST_MAX_STALENESS
    if mode not in {"strict", "snapshot"}:
        return [
            Error(
                f"TOKENS_DENYLIST_MODE is {mode!r}.",
                hint='Set it to "strict" or "snapshot": docs/modes.md tells which suits you.',
                id="tokens.E020",
            )
        ]
    messages: list[CheckMessage] = []
    decides: list[Any] = [DeniedToken, Session, SigningKey, ThrottleCount, get_user_model()]
    if any(router.db_for_read(model) != router.db_for_write(model) for model in decides):
        messages.append(
            Warning(
                "A database router reads sessions, denials, keys, limits or users elsewhere than they "
                "are written: a revoked token, or a former password, is accepted until the replica "
                "knows.",
                hint='List "tokens.routers.PrimaryRouter" before it in DATABASE_ROUTERS.',
                id="tokens.W020",
            )
        )
    if mode == "strict":
        return messages
    if not timedelta(0) < bound < conf.TOKENS_ACCESS_LIFETIME:
        messages.append(
            Error(
                f"TOKENS_DENYLIST_MAX_STALENESS is {bound}.",
                hint="Set it to more than 0 and less than TOKENS_ACCESS_LIFETIME; 1 second is "
                "usual.",
                id="tokens.E021",
            )
        )
    database = connections[router.db_for_write(DeniedToken)]
    if database.settings_dict["ATOMIC_REQUESTS"] and database.vendor != "postgresql":
        messages.append(
            Warning(
                "ATOMIC_REQUESTS puts each request into a transaction, in which the snapshot cannot "
                "be brought up to date: most requests go through the strict look.",
                hint='Set TOKENS_DENYLIST_MODE to "strict", or ATOMIC_REQUESTS to False.',
                id="tokens.W021",
            )
        )
    return messages


def check_database(**kwargs: Any) -> list[CheckMessage]:
    """What is committed before its answer leaves is committed on the default database."""
    alias = router.db_for_write(Session)
    if alias == DEFAULT_DB_ALIAS:
        return []
    return [
        Error(
            f"A database router writes sessions to {alias!r}: a revocation would not be durable when "
            "it is answered.",
            hint=f"Let the database of the app «tokens» have the alias {DEFAULT_DB_ALIAS!r}.",
            id="tokens.E022",
        )
    ]


def check_proxies(**kwargs: Any) -> list[CheckMessage]:
    if conf.TOKENS_TRUSTED_PROXIES >= 0:
        return []
    return [
        Error(
            f"TOKENS_TRUSTED_PROXIES is {conf.TOKENS_TRUSTED_PROXIES}.",
            hint="Set it to how many of your proxies append to X-Forwarded-For, or to 0.",
            id="tokens.E009",
        )
    ]


def check_authentication_classes(**kwargs: Any) -> list[CheckMessage]:
    """DRF asks the first class for the challenge, and without one answers 403 for 401."""
    classes: list[Any] = list(api_settings.DEFAULT_AUTHENTICATION_CLASSES)
    if classes and issubclass(classes[0], JWTAuthentication):
        return []
    return [
        Warning(
            "JWTAuthentication is not the first of DRF's DEFAULT_AUTHENTICATION_CLASSES.",
            hint='Put "tokens.authentication.JWTAuthentication" first, or name it in each view.',
            id="tokens.W001",
        )
    ]

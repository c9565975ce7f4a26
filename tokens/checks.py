"""System checks: what would make the tokens unsafe or useless, and what to do about it."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, connections, router
from django.utils import timezone
from rest_framework.settings import api_settings

from . import keyring, pruning
from .authentication import JWTAuthentication
from .conf import conf
from .errors import KeyRingError
from .models import DeniedToken, Session, SigningKey
from .throttling import parse_rate

MINIMUM_SECRET_LENGTH = 32
MAXIMUM_LEEWAY = timedelta(seconds=10)
USUAL_ACCESS_LIFETIME = timedelta(minutes=15)
THROTTLES = [
    f"TOKENS_{what}_THROTTLE"
    for what in ("ACCOUNT", "LOGIN", "REFRESH", "VERIFY", "REVOKE", "INTROSPECT")
]
USUAL_GRACE = timedelta(seconds=60)


def check_secret(**kwargs: Any) -> list[CheckMessage]:
    """One secret for two purposes makes one leak into two, and a short one can be guessed."""
    secret = conf.TOKENS_SECRET
    if not secret:
        return [
            Error(
                "TOKENS_SECRET is not set, so the signing keys cannot be opened.",
                hint="Set it to 32 or more random characters that nothing else uses.",
                id="tokens.E001",
            )
        ]
    messages: list[CheckMessage] = []
    if secret in {settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS}:
        messages.append(
            Error(
                "TOKENS_SECRET equals SECRET_KEY.",
                hint="Give it a value of its own, and run rotate_secret if either may have leaked.",
                id="tokens.E002",
            )
        )
    if len(secret) < MINIMUM_SECRET_LENGTH:
        messages.append(
            Error(
                f"TOKENS_SECRET has {len(secret)} characters.",
                hint=f"Set it to {MINIMUM_SECRET_LENGTH} or more random characters.",
                id="tokens.E003",
            )
        )
    return messages


def check_key_ring(**kwargs: Any) -> list[CheckMessage]:
    """A ring that does not open lets nobody in; found at start, it has not cost anything yet."""
    if not conf.TOKENS_SECRET:
        return []  # tokens.E001
    try:
        keyring.check()
    except KeyRingError as error:
        message, _, remedy = str(error).partition(". ")
        return [Error(f"{message}.", hint=remedy, id="tokens.E010")]
    except DatabaseError:
        return []  # Before the first migration, or without a database: /readyz tells.
    return []


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


def check_algorithm(**kwargs: Any) -> list[CheckMessage]:
    if conf.TOKENS_ALGORITHM in keyring.ALGORITHMS:
        return []
    return [
        Error(
            f"TOKENS_ALGORITHM is {conf.TOKENS_ALGORITHM!r}.",
            hint=f"Set it to one of {', '.join(keyring.ALGORITHMS)}.",
            id="tokens.E007",
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
    reads, writes = router.db_for_read(DeniedToken), router.db_for_write(DeniedToken)
    if reads != writes or router.db_for_read(Session) != router.db_for_write(Session):
        messages.append(
            Warning(
                "A database router reads sessions or denials elsewhere than they are written: a "
                "token is accepted until its revocation has reached the replica.",
                hint="Let the router read the app «tokens» where it is written.",
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
    database = connections[writes]
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


def check_signing_keys(**kwargs: Any) -> list[CheckMessage]:
    """The longer a key signs, the more a copy of it that nobody knows of is worth."""
    messages: list[CheckMessage] = []
    try:
        signing = SigningKey.objects.filter(state=SigningKey.State.SIGNING).first()
        unneeded = bool(conf.TOKENS_SECRET_FALLBACKS) and keyring.unneeded_fallbacks()
    except (DatabaseError, KeyRingError):
        return []  # check_key_ring tells of the second.
    if signing and signing.signs_since:
        age = timezone.now() - signing.signs_since
        if age > conf.TOKENS_KEY_MAX_AGE:
            messages.append(
                Warning(
                    f"The signing key {signing.kid[:8]}… has signed for {age.days} days.",
                    hint='Run "manage.py rotate_secret"; nobody is signed out. TOKENS_KEY_MAX_AGE '
                    f"is {conf.TOKENS_KEY_MAX_AGE.days} days.",
                    id="tokens.W005",
                )
            )
    if unneeded:
        messages.append(
            Warning(
                "TOKEN_SECRET_FALLBACKS is set, and no signing key needs it.",
                hint="Empty it: a former secret that is kept can still leak.",
                id="tokens.W006",
            )
        )
    return messages


def check_pruning(**kwargs: Any) -> list[CheckMessage]:
    """Tables that only grow fill a disk, and keep people's addresses longer than was said."""
    try:
        overdue = pruning.overdue()
    except DatabaseError:
        return []
    if not overdue:
        return []
    return [
        Warning(
            f"Rows that are of no use have waited for over {pruning.OVERDUE_AFTER.days} days to be "
            f"deleted: {', '.join(overdue)}.",
            hint='Run "manage.py prune_tokens" daily, by a timer or cron.',
            id="tokens.W007",
        )
    ]


def check_deployment(**kwargs: Any) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    if conf.TOKENS_ACCESS_LIFETIME > USUAL_ACCESS_LIFETIME:
        messages.append(
            Warning(
                f"TOKENS_ACCESS_LIFETIME is {conf.TOKENS_ACCESS_LIFETIME}. Services that verify "
                "by the JWKS alone accept a revoked token for that long.",
                hint="Set it to 15 minutes or less; 5 are usual.",
                id="tokens.W002",
            )
        )
    if not conf.TOKENS_LOGIN_THROTTLE:
        messages.append(
            Warning(
                "TOKENS_LOGIN_THROTTLE is empty: passwords can be guessed at full speed.",
                hint="Set it to a rate such as 10/min.",
                id="tokens.W003",
            )
        )
    if not conf.TOKENS_COOKIE_SECURE:
        messages.append(
            Warning(
                "TOKENS_COOKIE_SECURE is False: browsers send the token cookies without TLS too.",
                hint="Set it to True, and serve the site over HTTPS.",
                id="tokens.W010",
            )
        )
    if "tokens.middleware.TokenCookieMiddleware" not in settings.MIDDLEWARE:
        messages.append(
            Warning(
                "TokenCookieMiddleware is not in MIDDLEWARE: a shared cache may give one person's "
                "answer by cookie to another.",
                hint='Add "tokens.middleware.TokenCookieMiddleware" at the end of MIDDLEWARE.',
                id="tokens.W011",
            )
        )
    if conf.TOKENS_REFRESH_GRACE > USUAL_GRACE:
        messages.append(
            Warning(
                f"TOKENS_REFRESH_GRACE is {conf.TOKENS_REFRESH_GRACE}. For that long a stolen "
                "refresh token that was just used passes unnoticed.",
                hint="Set it to a minute or less; 10 seconds are usual.",
                id="tokens.W004",
            )
        )
    return messages

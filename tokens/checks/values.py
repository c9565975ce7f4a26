"""Settings that are invalid by themselves or in combination."""

import re
from datetime import timedelta
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from rest_framework.settings import api_settings

from .. import sessions
from ..conf import Settings, conf
from ..limits import parse_rate
from .wording import in_words

# The project may keep the app at any dotted path.
APP = __name__.removesuffix(".checks.values")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 §5.6.2
MAXIMUM_LEEWAY = timedelta(seconds=10)
THROTTLES = [
    f"TOKENS_{what}_THROTTLE"
    for what in ("ACCOUNT", "LOGIN", "SITE", "REFRESH", "VERIFY", "REVOKE", "INTROSPECT")
]


def check_lifetimes(**kwargs: Any) -> list[CheckMessage]:
    """Report lifetimes that let no user in, or in an order in which one limit never applies."""
    messages: list[CheckMessage] = []
    access, refresh = conf.TOKENS_ACCESS_LIFETIME, conf.TOKENS_REFRESH_LIFETIME
    session = conf.TOKENS_SESSION_LIFETIME
    if not timedelta(0) < access < refresh <= session:
        messages.append(
            Error(
                f"TOKENS_ACCESS_LIFETIME is {in_words(access)}, TOKENS_REFRESH_LIFETIME is "
                f"{in_words(refresh)} and TOKENS_SESSION_LIFETIME is {in_words(session)}.",
                hint="The first must be more than 0 and less than the second, and the second must "
                "be at most the third. The defaults are "
                f"{in_words(Settings.TOKENS_ACCESS_LIFETIME.default)}, "
                f"{in_words(Settings.TOKENS_REFRESH_LIFETIME.default)} and "
                f"{in_words(Settings.TOKENS_SESSION_LIFETIME.default)}.",
                id="tokens.E004",
            )
        )
    if not timedelta(0) <= conf.TOKENS_LEEWAY <= MAXIMUM_LEEWAY:
        messages.append(
            Error(
                f"TOKENS_LEEWAY is {in_words(conf.TOKENS_LEEWAY)}.",
                hint=f"Set it to a value from 0 to {in_words(MAXIMUM_LEEWAY)}, and synchronize the "
                "clocks of your hosts with NTP.",
                id="tokens.E005",
            )
        )
    if not timedelta(0) <= conf.TOKENS_REFRESH_GRACE < refresh:
        messages.append(
            Error(
                f"TOKENS_REFRESH_GRACE is {in_words(conf.TOKENS_REFRESH_GRACE)}.",
                hint="Set it to 0 or more, and to less than TOKENS_REFRESH_LIFETIME. The default is "
                f"{in_words(Settings.TOKENS_REFRESH_GRACE.default)}.",
                id="tokens.E006",
            )
        )
    return messages


def check_sessions_per_user(**kwargs: Any) -> list[CheckMessage]:
    return _check_bound("TOKENS_SESSIONS_PER_USER", "sessions", id="tokens.E015")


def check_password_checks(**kwargs: Any) -> list[CheckMessage]:
    return _check_bound("TOKENS_PASSWORD_CHECKS", "checks at once", id="tokens.E018")


def _check_bound(name: str, what: str, *, id: str) -> list[CheckMessage]:
    """Report a negative bound: 0 stands for no bound."""
    value = getattr(conf, name)
    if value >= 0:
        return []
    default = getattr(Settings, name).default
    return [
        Error(
            f"{name} is {value}.",
            hint=f"Set it to 1 or more, or to 0 for any number of {what}. The default is {default}.",
            id=id,
        )
    ]


def check_retention(**kwargs: Any) -> list[CheckMessage]:
    """Report rows that would be deleted while a token of their session can still be presented."""
    kept, incidents = conf.TOKENS_RETENTION, conf.TOKENS_INCIDENT_RETENTION
    if conf.TOKENS_REFRESH_LIFETIME <= kept <= incidents:
        return []
    return [
        Error(
            f"TOKENS_RETENTION is {in_words(kept)} and TOKENS_INCIDENT_RETENTION is "
            f"{in_words(incidents)}.",
            hint="The first must be at least TOKENS_REFRESH_LIFETIME, and the second at least the "
            f"first. The defaults are {in_words(Settings.TOKENS_RETENTION.default)} and "
            f"{in_words(Settings.TOKENS_INCIDENT_RETENTION.default)}.",
            id="tokens.E011",
        )
    ]


def check_header(**kwargs: Any) -> list[CheckMessage]:
    """Report a header, or a scheme in it, that no client can send."""
    found: list[CheckMessage] = []
    types = conf.TOKENS_HEADER_TYPES
    if not types or not all(map(_TOKEN.fullmatch, types)):
        found.append(
            Error(
                f"TOKENS_HEADER_TYPES is {types!r}.",
                hint='Set it to a list of one or more schemes, each of one word, such as ["Bearer"].',
                id="tokens.E050",
            )
        )
    if not _TOKEN.fullmatch(conf.TOKENS_HEADER_NAME):
        found.append(
            Error(
                f"TOKENS_HEADER_NAME is {conf.TOKENS_HEADER_NAME!r}.",
                hint='Set it to the name of a request header, such as "Authorization".',
                id="tokens.E051",
            )
        )
    return found


def check_claims_hook(**kwargs: Any) -> list[CheckMessage]:
    """Report a hook that cannot be imported or called, with which every sign-in would fail."""
    return _check_function("TOKENS_CLAIMS_HOOK", "hook(session)", id="tokens.E012")


def check_user_rule(**kwargs: Any) -> list[CheckMessage]:
    """Report a rule that cannot be imported or called, with which every request would fail."""
    return _check_function("TOKENS_USER_RULE", "rule(user)", id="tokens.E014")


def check_user_language(**kwargs: Any) -> list[CheckMessage]:
    """Report a function that cannot be imported or called: mail is in LANGUAGE_CODE then."""
    return _check_function(
        "TOKENS_USER_LANGUAGE",
        'language(user), which returns a code such as "de"',
        id="tokens.W068",
        kind=Warning,
        consequence=" Mail to users is in LANGUAGE_CODE.",
    )


def _check_function(
    name: str,
    signature: str,
    *,
    id: str,
    kind: type[Error] | type[Warning] = Error,
    consequence: str = "",
) -> list[CheckMessage]:
    try:
        function = getattr(conf, name)
    except ImportError as error:
        trouble = str(error)
    else:
        if function is None or callable(function):
            return []
        trouble = "it cannot be called"
    return [
        kind(
            f"{name}: {trouble}.{consequence}",
            hint=f"Set it to the dotted path of a function {signature}, or to None.",
            id=id,
        )
    ]


def check_grace_elsewhere(**kwargs: Any) -> list[CheckMessage]:
    if conf.TOKENS_GRACE_ELSEWHERE in {"warn", "end"}:
        return []
    return [
        Error(
            f"TOKENS_GRACE_ELSEWHERE is {conf.TOKENS_GRACE_ELSEWHERE!r}.",
            hint='Set it to "warn", the default, or to "end", which ends the session.',
            id="tokens.E013",
        )
    ]


def check_rotation(**kwargs: Any) -> list[CheckMessage]:
    """Report a value that does not exist, and answers without which clients cannot rotate."""
    rotation = conf.TOKENS_ROTATION
    if rotation not in {"always", "on_proof"}:
        return [
            Error(
                f"TOKENS_ROTATION is {rotation!r}.",
                hint='Set it to "always", the default, or to "on_proof" while clients that do not keep '
                "the next refresh token are in use.",
                id="tokens.E056",
            )
        ]
    if rotation == "always" and not conf.TOKENS_RETURN_REFRESH_TOKEN:
        return [
            Error(
                'TOKENS_RETURN_REFRESH_TOKEN is False and TOKENS_ROTATION is "always": no client gets the '
                "next refresh token, so every session ends as a reuse at its second refresh.",
                hint='Set TOKENS_RETURN_REFRESH_TOKEN to True, or TOKENS_ROTATION to "on_proof".',
                id="tokens.E057",
            )
        ]
    return []


def check_on_proof(**kwargs: Any) -> list[CheckMessage]:
    """Explain what "on_proof" gives up, for as long as it is set."""
    if conf.TOKENS_ROTATION != "on_proof":
        return []
    return [
        Warning(
            'TOKENS_ROTATION is "on_proof": the first refresh token of a session is good until a later '
            "one is presented. Of clients that never present one, a stolen refresh token is not "
            "noticed until it expires.",
            hint='Set it to "always" when all clients keep the refresh token of each answer. '
            'While the takeover app is installed, "manage.py switch_from_simplejwt --status" counts the '
            "sessions of those that do not.",
            id="tokens.W056",
        )
    ]


def check_throttles(**kwargs: Any) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    # TOKENS_ACCOUNT_THROTTLE is by default that of sign-ins: report each rate once.
    names = {getattr(conf, name): name for name in THROTTLES}
    for rate, name in names.items():
        try:
            parse_rate(rate)
        except ValueError as error:
            messages.append(
                Error(
                    f"{name}: {error}.",
                    hint="Set it to a rate, such as "
                    f"{Settings.TOKENS_LOGIN_THROTTLE.default}, or to an empty string for no limit.",
                    id="tokens.E008",
                )
            )
    return messages


def check_denylist_mode(**kwargs: Any) -> list[CheckMessage]:
    """Report a mode that does not exist, and what prevents snapshot mode from keeping its bound."""
    mode, bound = conf.TOKENS_DENYLIST_MODE, conf.TOKENS_DENYLIST_MAX_STALENESS
    if mode not in {"strict", "snapshot"}:
        return [
            Error(
                f"TOKENS_DENYLIST_MODE is {mode!r}.",
                hint='Set it to "strict", the default, or to "snapshot", which reads revocations once a '
                "second instead of at each request.",
                id="tokens.E020",
            )
        ]
    messages: list[CheckMessage] = []
    if mode == "strict":
        return messages
    if not timedelta(0) < bound < conf.TOKENS_ACCESS_LIFETIME:
        messages.append(
            Error(
                f"TOKENS_DENYLIST_MAX_STALENESS is {in_words(bound)}.",
                hint="Set it to more than 0 and less than TOKENS_ACCESS_LIFETIME. The default is "
                f"{in_words(Settings.TOKENS_DENYLIST_MAX_STALENESS.default)}.",
                id="tokens.E021",
            )
        )
    if sessions.needs_user():
        messages.append(
            Warning(
                "TOKENS_USER_RULE is set, or the default manager of the user model hides some users. "
                "Only a loaded user can be checked, so every request runs the query of strict mode.",
                hint='Set TOKENS_DENYLIST_MODE to "strict", or do without the rule and the filter.',
                id="tokens.W022",
            )
        )
    return messages


def check_authentication_classes(**kwargs: Any) -> list[CheckMessage]:
    """Warn if another class comes first: DRF takes the challenge from it, or answers 403."""
    classes: list[Any] = list(api_settings.DEFAULT_AUTHENTICATION_CLASSES)
    if classes and getattr(classes[0], "authenticates_tokens", False):
        return []
    return [
        Warning(
            "JWTAuthentication is not the first of DRF's DEFAULT_AUTHENTICATION_CLASSES.",
            hint=f'Put "{APP}.authentication.JWTAuthentication" first, or set it on each view.',
            id="tokens.W001",
        )
    ]

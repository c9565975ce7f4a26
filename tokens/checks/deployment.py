"""What a site that serves people had better do, for ``check --deploy``."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError

from ..conf import conf
from ..operations import pruning

USUAL_ACCESS_LIFETIME = timedelta(minutes=15)
USUAL_GRACE = timedelta(seconds=60)


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
    if "tokens.api.middleware.TokenCookieMiddleware" not in settings.MIDDLEWARE:
        messages.append(
            Warning(
                "TokenCookieMiddleware is not in MIDDLEWARE: a shared cache may give one person's "
                "answer by cookie to another.",
                hint='Add "tokens.api.middleware.TokenCookieMiddleware" at the end of MIDDLEWARE.',
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

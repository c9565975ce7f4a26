"""What a production site should change, for ``check --deploy``."""

import os
import stat
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError, connections, router

from ..api.django_sessions import DjangoSessionMiddleware
from ..api.middleware import TokenCookieMiddleware
from ..conf import Settings, conf
from ..models import Session
from ..operations import pruning
from .listed import has_middleware, lists
from .wording import in_words

LONGEST_ACCESS_LIFETIME = timedelta(minutes=15)
LONGEST_GRACE = timedelta(minutes=1)
# The project may keep the app at any dotted path.
APP = __name__.removesuffix(".checks.deployment")
API = f"{APP}.api"
ALL_MIDDLEWARE = f"{APP}.middleware.TokensMiddleware"
MIDDLEWARE = f"{API}.middleware.TokenCookieMiddleware"
SESSION_MIDDLEWARE = f"{API}.django_sessions.DjangoSessionMiddleware"


def check_pruning(**kwargs: Any) -> list[CheckMessage]:
    """Warn about overdue rows: they fill the disk, and keep IP addresses for longer than stated."""
    try:
        overdue = pruning.overdue()
    except DatabaseError:
        return []
    if not overdue:
        return []
    return [
        Warning(
            f"Rows of these kinds should have been deleted over {in_words(pruning.OVERDUE_AFTER)} "
            f"ago: {', '.join(overdue)}.",
            hint='Run "manage.py prune_tokens" daily, by a timer or cron.',
            id="tokens.W007",
        )
    ]


def check_database_file(**kwargs: Any) -> list[CheckMessage]:
    """Warn about an SQLite database that every local user can read."""
    database: Any = connections[router.db_for_write(Session)]
    path = str(database.settings_dict["NAME"])
    if database.vendor != "sqlite" or os.name != "posix" or not os.path.isfile(path):
        return []
    if not os.stat(path).st_mode & stat.S_IROTH:
        return []
    return [
        Warning(
            f"Every user of this host can read the database {path}, with its password hashes and "
            "the addresses of your users.",
            hint="Run chmod o= on the file, and on those beside it whose names end in -wal and -shm.",
            id="tokens.W024",
        )
    ]


def check_deployment(**kwargs: Any) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    if conf.TOKENS_ACCESS_LIFETIME > LONGEST_ACCESS_LIFETIME:
        messages.append(
            Warning(
                f"TOKENS_ACCESS_LIFETIME is {in_words(conf.TOKENS_ACCESS_LIFETIME)}. For that long "
                "after it was issued, services that only verify signatures accept a revoked token.",
                hint=f"Set it to {in_words(LONGEST_ACCESS_LIFETIME)} or less. The default is "
                f"{in_words(Settings.TOKENS_ACCESS_LIFETIME.default)}.",
                id="tokens.W002",
            )
        )
    if not conf.TOKENS_LOGIN_THROTTLE:
        messages.append(
            Warning(
                "TOKENS_LOGIN_THROTTLE is empty: nothing limits how fast passwords can be guessed.",
                hint="Set it to a rate, such as the default, "
                f"{Settings.TOKENS_LOGIN_THROTTLE.default}.",
                id="tokens.W003",
            )
        )
    if not conf.TOKENS_COOKIE_SECURE:
        messages.append(
            Warning(
                "TOKENS_COOKIE_SECURE is False: browsers send the token cookies over plain HTTP "
                "too.",
                hint="Set it to True, and serve the site over HTTPS.",
                id="tokens.W010",
            )
        )
    if not has_middleware(TokenCookieMiddleware):
        messages.append(
            Warning(
                "TokenCookieMiddleware is not in MIDDLEWARE: a shared cache may return to one user "
                "a response that was made for another, and go on after the token was revoked.",
                hint=f'Add "{ALL_MIDDLEWARE}" after AuthenticationMiddleware, or "{MIDDLEWARE}" '
                "at the end of MIDDLEWARE.",
                id="tokens.W011",
            )
        )
    if lists(settings.MIDDLEWARE, AuthenticationMiddleware) and (
        not has_middleware(DjangoSessionMiddleware)
    ):
        messages.append(
            Warning(
                "DjangoSessionMiddleware is not in MIDDLEWARE: signing a user out everywhere leaves "
                "sessions of Django, such as those of the admin, as they are.",
                hint=f'Add "{ALL_MIDDLEWARE}" or "{SESSION_MIDDLEWARE}" after '
                "AuthenticationMiddleware.",
                id="tokens.W012",
            )
        )
    if conf.TOKENS_REFRESH_GRACE > LONGEST_GRACE:
        messages.append(
            Warning(
                f"TOKENS_REFRESH_GRACE is {in_words(conf.TOKENS_REFRESH_GRACE)}. For that long after "
                "a refresh token was used, its use by a thief is not detected as reuse.",
                hint=f"Set it to {in_words(LONGEST_GRACE)} or less. The default is "
                f"{in_words(Settings.TOKENS_REFRESH_GRACE.default)}.",
                id="tokens.W004",
            )
        )
    return messages

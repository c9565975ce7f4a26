"""Whether sign-ins are limited wherever a password is accepted."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.utils.module_loading import import_string

from ..api.middleware import ClientMiddleware
from ..backends import SignInLimitBackend
from .listed import has_middleware
from .values import APP

BACKEND = f"{APP}.backends.SignInLimitBackend"
ALL_MIDDLEWARE = f"{APP}.middleware.TokensMiddleware"
MIDDLEWARE = f"{APP}.api.middleware.ClientMiddleware"


def check_sign_in(**kwargs: Any) -> list[CheckMessage]:
    """Warn if views that call Django's ``authenticate`` have no limit, or do not answer 429."""
    backends: list[type] = [import_string(path) for path in settings.AUTHENTICATION_BACKENDS]
    messages: list[CheckMessage] = []
    if not backends or not issubclass(backends[0], SignInLimitBackend):
        messages.append(
            Warning(
                "SignInLimitBackend is not the first of AUTHENTICATION_BACKENDS: at sign-in views "
                "other than this app's own, such as the admin's, the number of attempts is not "
                "limited.",
                hint=f'Put "{BACKEND}" first.',
                id="tokens.W013",
            )
        )
    if not has_middleware(ClientMiddleware):
        messages.append(
            Warning(
                "ClientMiddleware is not in MIDDLEWARE: other views answer an attempt over the limit "
                "as a wrong password, and sessions that they start have no address and no device.",
                hint=f'Add "{ALL_MIDDLEWARE}" to MIDDLEWARE, or "{MIDDLEWARE}" before any '
                "middleware that signs users in.",
                id="tokens.W014",
            )
        )
    return messages

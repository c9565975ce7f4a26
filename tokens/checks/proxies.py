"""Settings that say different things about the proxies in front of the site."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from rest_framework.settings import api_settings

from ..client import HEADERS
from ..conf import Settings, conf


def check_proxies(**kwargs: Any) -> list[CheckMessage]:
    """Report values without a meaning: a negative number, or a header that cannot be read."""
    messages: list[CheckMessage] = []
    if conf.TOKENS_TRUSTED_PROXIES < 0:
        messages.append(
            Error(
                f"TOKENS_TRUSTED_PROXIES is {conf.TOKENS_TRUSTED_PROXIES}.",
                hint="Set it to the number of your proxies that append to X-Forwarded-For, or to 0.",
                id="tokens.E009",
            )
        )
    if conf.TOKENS_FORWARDED_HEADER not in HEADERS:
        messages.append(
            Error(
                f"TOKENS_FORWARDED_HEADER is {conf.TOKENS_FORWARDED_HEADER!r}.",
                hint=f"Set it to one of {', '.join(HEADERS)}. The default is "
                f"{Settings.TOKENS_FORWARDED_HEADER.default}.",
                id="tokens.E030",
            )
        )
    return messages


def check_proxies_agree(**kwargs: Any) -> list[CheckMessage]:
    """Warn if Django or DRF is set up for another number of proxies than this app."""
    messages: list[CheckMessage] = []
    trusted = [
        name
        for name in ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST", "USE_X_FORWARDED_PORT")
        if getattr(settings, name)
    ]
    if trusted and not conf.TOKENS_TRUSTED_PROXIES:
        messages.append(
            Warning(
                f"{trusted[0]} is set, so a proxy is in front, and TOKENS_TRUSTED_PROXIES is 0: all "
                "clients share the address of the proxy, and a few wrong passwords of one of them "
                "keep all others from signing in.",
                hint="Set TOKENS_TRUSTED_PROXIES to the number of your proxies that append to "
                "X-Forwarded-For.",
                id="tokens.W030",
            )
        )
    in_drf = api_settings.NUM_PROXIES
    if in_drf is not None and in_drf != max(0, conf.TOKENS_TRUSTED_PROXIES):
        messages.append(
            Warning(
                f"NUM_PROXIES of REST_FRAMEWORK is {in_drf}, and TOKENS_TRUSTED_PROXIES is "
                f"{conf.TOKENS_TRUSTED_PROXIES}. With the wrong one, all clients share one address, or "
                "each can choose its own.",
                hint="Set both to the number of your proxies.",
                id="tokens.W031",
            )
        )
    return messages

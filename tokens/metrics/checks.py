"""Who may read the metrics."""

from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from ..conf import conf
from ..secret.strength import MINIMUM_LENGTH, weakness_of


def check_weak_token(**kwargs: Any) -> list[CheckMessage]:
    token = conf.TOKENS_METRICS_TOKEN
    weakness = weakness_of(token) if token else ""
    if not weakness:
        return []
    return [
        Error(
            f"TOKENS_METRICS_TOKEN {weakness}, so it can be guessed.",
            hint=f"Set it to {MINIMUM_LENGTH} or more random characters: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
            id="tokens.E045",
        )
    ]


def check_open_page(**kwargs: Any) -> list[CheckMessage]:
    if not conf.TOKENS_METRICS or conf.TOKENS_METRICS_TOKEN is not None:
        return []
    return [
        Warning(
            "TOKENS_METRICS_TOKEN is None: any client that reaches the address of the metrics can read how "
            "many users sign in, and whether an attack is noticed.",
            hint="Set it to a token that your Prometheus sends, or silence this warning if only "
            "Prometheus can reach the address.",
            id="tokens.W054",
        )
    ]

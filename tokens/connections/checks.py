"""System checks of the settings for open connections."""

from datetime import timedelta
from typing import Any

from django.core.checks import CheckMessage, Error

from ..conf import conf


def check_connections(**kwargs: Any) -> list[CheckMessage]:
    """Report values that leave a connection open without a bound, or that nothing stands for."""
    messages: list[CheckMessage] = []
    grace, bound = conf.TOKENS_CONNECTION_EXPIRY_GRACE, conf.TOKENS_DENYLIST_MAX_STALENESS
    is_snapshot = conf.TOKENS_DENYLIST_MODE == "snapshot"  # There tokens.E021 reports the bound.
    if grace < timedelta(0) or (bound <= timedelta(0) and not is_snapshot):
        messages.append(
            Error(
                f"TOKENS_CONNECTION_EXPIRY_GRACE is {grace.total_seconds():g} s and "
                f"TOKENS_DENYLIST_MAX_STALENESS is {bound.total_seconds():g} s.",
                hint="Set the first to 0 or more, and the second to more than 0. The defaults are 30 s "
                "and 1 s.",
                id="tokens.E065",
            )
        )
    if conf.TOKENS_CONNECTIONS_WITHOUT_DATABASE not in {"keep", "close"}:
        messages.append(
            Error(
                "TOKENS_CONNECTIONS_WITHOUT_DATABASE is "
                f"{conf.TOKENS_CONNECTIONS_WITHOUT_DATABASE!r}.",
                hint='Set it to "keep", the default, or to "close".',
                id="tokens.E066",
            )
        )
    return messages

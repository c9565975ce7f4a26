"""
What happened, told once it is true: a Django signal, and one line in the log.

Both wait for the surrounding transaction to commit; what is rolled back has not happened. A
receiver that fails is logged and fails nobody else, least of all a sign-in or a revocation.

    signal              arguments besides ``sender``
    ────────────────    ─────────────────────────────────────────────────────
    session_started     session, client
    session_refreshed   session, client
    reuse_detected      session, client: ``client`` is the one that came back
    session_ended       sid, user_id, reason, note, by, client
    token_denied        jti, user_id, reason, by, address, until
    key_rotated         kid, former, revoked, by, reason

No argument, and no line, holds a token, a password or a key.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.dispatch import Signal

logger = logging.getLogger("tokens")

session_started = Signal()
session_refreshed = Signal()
reuse_detected = Signal()
session_ended = Signal()
token_denied = Signal()
key_rotated = Signal()

SIGNALS = {
    session_started: "session_started",
    session_refreshed: "session_refreshed",
    reuse_detected: "reuse_detected",
    session_ended: "session_ended",
    token_denied: "token_denied",
    key_rotated: "key_rotated",
}

_PLAIN = re.compile(r"[\w.:@/+,-]+", re.ASCII)


def send(
    signal: Signal,
    *,
    sender: type,
    fields: Mapping[str, Any],
    arguments: Mapping[str, Any],
    level: int = logging.INFO,
) -> None:
    """Log ``fields`` and give ``arguments`` to the receivers, as soon as it is committed."""

    def happened() -> None:
        log(SIGNALS[signal], level=level, **fields)
        signal.send_robust(sender=sender, **arguments)

    transaction.on_commit(happened, robust=True)


def log(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """
    Log one event in one line: its name, and each field that has a value.

    The record carries the same as ``event`` and ``fields``, for formatters that know them. Values
    may be a stranger's: none can end the line or pass for a field of its own.
    """
    if not logger.isEnabledFor(level):
        return
    named = {name: str(value) for name, value in fields.items() if value is not None}
    named = {name: text for name, text in named.items() if text}
    words = [event, *(f"{name}={_quoted(value)}" for name, value in named.items())]
    logger.log(level, "%s", " ".join(words), extra={"event": event, "fields": named})


def _quoted(value: str) -> str:
    # repr() escapes whatever is not printable, and a quote that would end it.
    return value if _PLAIN.fullmatch(value) else repr(value)

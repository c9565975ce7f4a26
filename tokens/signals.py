"""
The Django signals of this app, each sent together with one line in the log.

Both wait until the current transaction commits, and nothing is sent if it is rolled back. An error
in a receiver is logged. It stops neither the other receivers nor a sign-in or revocation.

    signal              arguments besides ``sender``
    ────────────────    ─────────────────────────────────────────────────────
    session_started     session, client
    session_refreshed   session, client
    refresh_repeated    session, client, elsewhere, answered
    reuse_detected      session, client: ``client`` presented the old token
    session_ended       sid, user_id, reason, note, by, client
    everything_revoked  before, note, by
    token_denied        jti, user_id, reason, by, address, until
    key_rotated         kid, former, revoked, by, reason

No argument and no line contains a token, a password or a key.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.dispatch import Signal

from . import watching
from .database import places

logger = logging.getLogger("tokens")

session_started = Signal()
session_refreshed = Signal()
refresh_repeated = Signal()
reuse_detected = Signal()
session_ended = Signal()
everything_revoked = Signal()
token_denied = Signal()
key_rotated = Signal()

SIGNALS = {
    session_started: "session_started",
    session_refreshed: "session_refreshed",
    refresh_repeated: "refresh_repeated",
    reuse_detected: "reuse_detected",
    session_ended: "session_ended",
    everything_revoked: "everything_revoked",
    token_denied: "token_denied",
    key_rotated: "key_rotated",
}

_PLAIN = re.compile(r"[\w.:@/+,-]+", re.ASCII)


def send(
    signal: Signal,
    *,
    sender: type[Model],
    fields: Mapping[str, Any] | None,
    arguments: Mapping[str, Any],
    level: int = logging.INFO,
) -> None:
    """
    Once the current transaction commits, log ``fields`` and send ``arguments`` to receivers.

    Nothing is logged for fields that are None.
    """

    def on_commit() -> None:
        if fields is not None:
            log(SIGNALS[signal], level=level, **fields)
        signal.send_robust(sender=sender, **arguments)

    places.on_commit(on_commit, sender, robust=True)


def log(event: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """
    Log one event in one line: its name, and each field that has a value.

    The log record has them as ``event`` and ``fields`` too, for formatters. Values may come from a
    client, so they are escaped: none can end the line or look like another field.

    ``watching`` is told of the event, whether or not it is logged.
    """
    watching.tell(event, fields)
    if not logger.isEnabledFor(level):
        return
    named = {name: str(value) for name, value in fields.items() if value is not None}
    named = {name: text for name, text in named.items() if text}
    words = [event, *(f"{name}={_quoted(value)}" for name, value in named.items())]
    logger.log(level, "%s", " ".join(words), extra={"event": event, "fields": named})


def _quoted(value: str) -> str:
    # repr() escapes unprintable characters, and quotes that would end the value.
    return value if _PLAIN.fullmatch(value) else repr(value)

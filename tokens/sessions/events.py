"""Send the signals and log lines of a session: which session and user, and from which address."""

from collections.abc import Mapping
from datetime import datetime
from logging import INFO, WARNING
from typing import Any
from uuid import UUID

from django.dispatch import Signal

from .. import signals
from ..client import Client
from ..database import places
from ..jose import TokenType, jti_of
from ..models import EndReason, Session

MAX_LINES = 100  # in the log, of ends at once


def started(session: Session, client: Client) -> None:
    _send(signals.session_started, session, client)


def issued_alone(session: Session, client: Client) -> None:
    """Log that an access token was issued without a refresh token. It is no sign-in: no signal."""
    places.on_commit(
        lambda: signals.log("access_token_issued", **_fields(session, client)),
        Session,
        robust=True,
    )


def refreshed(session: Session, client: Client) -> None:
    _send(signals.session_refreshed, session, client)


def repeated(session: Session, client: Client, *, elsewhere: bool, answered: bool) -> None:
    """
    Report that a pair was given again, or that a superseded refresh token was shown to ``verify``.

    It is a warning if ``client`` has another network and user agent than the client that rotated.
    """
    arguments = {"elsewhere": elsewhere, "answered": answered}
    level = WARNING if elsewhere else INFO
    fields = {"last_address": session.refreshed_ip_address, **arguments}
    _send(signals.refresh_repeated, session, client, level=level, arguments=arguments, **fields)


def reused(session: Session, client: Client) -> None:
    """Report that ``client`` presented a refresh token that was rotated before."""
    last_address = session.refreshed_ip_address
    _send(signals.reuse_detected, session, client, level=WARNING, last_address=last_address)


def everything_revoked(before: datetime, *, note: str, by: Any) -> None:
    """Report that every session that began before an instant was revoked."""
    signals.send(
        signals.everything_revoked,
        sender=Session,
        fields={"before": before.isoformat(), "reason": note, "by": by and by.pk},
        arguments={"before": before, "note": note, "by": by},
        level=WARNING,
    )


def ended(
    owners: Mapping[UUID, Any],
    reason: EndReason,
    *,
    note: str,
    by: Any,
    client: Client | None,
) -> None:
    """
    Report the end of each session; ``owners`` maps its id to its user's primary key.

    More than MAX_LINES at once are one line in the log, and a signal each.
    """
    why = {"reason": reason.value, "note": note}
    more = {"address": client.ip_address if client else None, **why, "by": by and by.pk}
    together = len(owners) > MAX_LINES
    if together:
        users = set(owners.values())
        user = users.pop() if len(users) == 1 else None
        summary = {"count": len(owners), "user": user, **more}
        places.on_commit(lambda: signals.log("sessions_ended", **summary), Session, robust=True)
        if not signals.session_ended.receivers:
            return
    for sid, owner in owners.items():
        signals.send(
            signals.session_ended,
            sender=Session,
            fields=None if together else {"sid": sid, "user": owner, **more},
            arguments={"sid": sid, "user_id": owner, "client": client, **why, "by": by},
        )


def _send(
    signal: Signal,
    session: Session,
    client: Client,
    *,
    level: int = INFO,
    arguments: Mapping[str, Any] | None = None,
    **more: Any,
) -> None:
    fields = {**_fields(session, client), **more}
    arguments = {"session": session, "client": client, **(arguments or {})}
    signals.send(signal, sender=Session, fields=fields, arguments=arguments, level=level)


def _fields(session: Session, client: Client) -> dict[str, Any]:
    return {
        "sid": session.pk,
        "jti": jti_of(session.pk, session.generation, TokenType.ACCESS),
        "kid": session.kid,
        "user": session.user_id,
        "address": client.ip_address,
    }

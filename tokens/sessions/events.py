"""The events of a session's life, as ``sessions`` tells them: who, which, from where."""

from collections.abc import Mapping
from logging import INFO, WARNING
from typing import Any, Protocol
from uuid import UUID

from django.dispatch import Signal

from .. import signals
from ..jose import TokenType, jti_of
from ..models import EndReason, Session


class Caller(Protocol):
    @property
    def ip_address(self) -> str | None: ...


def started(session: Session, client: Caller) -> None:
    _send(signals.session_started, session, client)


def refreshed(session: Session, client: Caller) -> None:
    _send(signals.session_refreshed, session, client)


def reused(session: Session, client: Caller) -> None:
    """Tell that ``client`` brought a token back that its session was refreshed beyond."""
    last_address = session.refreshed_ip_address
    _send(signals.reuse_detected, session, client, level=WARNING, last_address=last_address)


def ended(
    owners: Mapping[UUID, Any],
    reason: EndReason,
    *,
    note: str,
    by: Any,
    client: Caller | None,
) -> None:
    """Tell of each session of ``owners``, its user's primary key by its id, that it ended."""
    why = {"reason": reason.value, "note": note}
    address = client.ip_address if client else None
    for sid, owner in owners.items():
        signals.send(
            signals.session_ended,
            sender=Session,
            fields={"sid": sid, "user": owner, "address": address, **why, "by": by and by.pk},
            arguments={"sid": sid, "user_id": owner, "client": client, **why, "by": by},
        )


def _send(
    signal: Signal, session: Session, client: Caller, *, level: int = INFO, **more: Any
) -> None:
    fields = {
        "sid": session.pk,
        "jti": jti_of(session.pk, session.generation, TokenType.ACCESS),
        "kid": session.kid,
        "user": session.user_id,
        "address": client.ip_address,
        **more,
    }
    arguments = {"session": session, "client": client}
    signals.send(signal, sender=Session, fields=fields, arguments=arguments, level=level)

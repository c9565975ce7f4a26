"""A ticket in the address of a WebSocket, which ``asgi.JWTMiddleware`` accepts."""

from collections.abc import MutableMapping
from typing import Any

from .. import clock
from ..secret import Secret
from ..sessions import Authenticated
from . import hiding, issuing


def take(scope: MutableMapping[str, Any]) -> Secret[str] | None:
    """
    Take the ticket out of the scope's query, and return it.

    uvicorn logs the query from the scope when the socket is accepted, so this comes first.
    """
    hiding.hide(scope=scope)
    return hiding.ticket_in(scope)


def redeem(ticket: Secret[str], *, path: str) -> Authenticated:
    """Use the ticket up for a handshake, which is a GET (RFC 6455 §4.1). Raises TokenError."""
    claims, session = issuing.redeem(ticket, method="GET", path=path, now=clock.now())
    return Authenticated(claims, session.user, lambda: session)

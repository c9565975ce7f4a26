"""Issue a ticket, and let one request use it."""

import re
import secrets
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID

from .. import sessions
from ..conf import conf
from ..database import lasting, places
from ..errors import Malformed
from ..jose import Claims, TokenType
from ..models import Session
from ..secret import Secret
from .models import Ticket

LIFETIME = timedelta(seconds=30)
# Expired rows are deleted when tickets are issued, so that no job has to do it.
SWEPT_AT_ONCE = 100

# A prefix that no other value of a query has by accident, and that scanners for secrets can find.
FORMAT = re.compile(r"lktk_[A-Za-z0-9_-]{43}")


def issue(claims: Claims, *, method: str, path: str, now: datetime) -> Secret[str]:
    """
    Return a ticket for one request with this method and path, on behalf of the token's session.

    It is valid for LIFETIME, but not longer than the access token with these claims and the leeway.
    ``path`` is what ``request.path`` will be.
    """
    _sweep(now=now)
    ticket = f"lktk_{secrets.token_urlsafe(32)}"
    Ticket.objects.create(
        digest=_digest(ticket),
        method=method,
        path=path,
        claims={"kid": claims.kid, **claims.as_json()},
        # The denial of a jti may be pruned once the token has expired.
        expires_at=min(now + LIFETIME, claims.expires_at + conf.TOKENS_LEEWAY),
    )
    return Secret(ticket)


def redeem(ticket: Secret[str], *, method: str, path: str, now: datetime) -> tuple[Claims, Session]:
    """
    Use the ticket up, and return its claims and their session with its user.

    One DELETE decides which request may use it, and lasts even if the caller's transaction is rolled
    back. Raises TokenError if the ticket, its session, token or user is not good for this request.
    """
    found = Ticket.objects.filter(
        digest=_digest(ticket.reveal()), method=method, path=path, expires_at__gt=now
    )
    row = None if "\0" in path else found.first()  # PostgreSQL raises for one.
    if row is None or not lasting.do(partial(_take, row), Ticket):
        raise Malformed("The ticket is unknown, used, expired, or for another address.")
    claims = _claims(row.claims)
    return claims, sessions.judge(claims, now=now)


def _take(row: Ticket) -> bool:
    taken, _ = Ticket.objects.filter(pk=row.pk).delete()
    return taken == 1


def _digest(ticket: str) -> str:
    return sha256(ticket.encode()).hexdigest()


def _claims(stored: dict[str, Any]) -> Claims:
    names = {"kid", "iss", "aud", "sub", "iat", "exp", "jti"}
    own = {name: stored[name] for name in names}
    extra = {name: value for name, value in stored.items() if name not in {*names, "sid", "nbf"}}
    return Claims(
        type=TokenType.ACCESS, sid=UUID(stored["sid"]), nbf=stored.get("nbf"), extra=extra, **own
    )


def _sweep(*, now: datetime) -> None:
    with places.atomic(Ticket):
        # Rows that another request is deleting are skipped.
        expired = (
            Ticket.objects.select_for_update(skip_locked=True)
            .filter(expires_at__lt=now)
            .order_by("expires_at")
            .values_list("pk", flat=True)[:SWEPT_AT_ONCE]
        )
        if keys := list(expired):
            Ticket.objects.filter(pk__in=keys).delete()

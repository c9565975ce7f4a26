"""
The rows of the blacklist app, which follow the sessions where that app is installed.

Each session has one row of OutstandingToken. Its ``jti`` is that of the session's first refresh token,
and it holds no token. A session that has ended has one of BlacklistedToken too, unless it was ended by a
cut-off or with its key, which write to no session. To insert one ends the session.
"""

from typing import Any
from uuid import UUID

from .. import sessions
from ..database import places
from ..jose import TokenType, jti_of, parse_jti
from ..models import EndReason, Session
from . import issuing
from .names.token_blacklist.models import BlacklistedToken, OutstandingToken
from .names.utils import as_project_has_it, datetime_from_epoch, datetime_to_epoch

NO_TOKEN = ""  # No token is stored that could be used.


def is_installed() -> bool:
    return not OutstandingToken._meta.abstract


def outstand(session: Session) -> Any:
    """Return the session's row and whether it is new, or None without the blacklist app."""
    if not is_installed():
        return None
    return OutstandingToken.objects.get_or_create(
        jti=_jti(session.pk),
        defaults={
            "user_id": session.user_id,
            "token": NO_TOKEN,
            "created_at": as_project_has_it(session.started_at),
            "expires_at": as_project_has_it(session.expires_at),
        },
    )


def end(session: Session) -> tuple[Any, bool]:
    """End the session; return its row in the blacklist and whether it is new."""
    with places.atomic(Session):
        # The row first, or a receiver of the end would have made it.
        row = outstand(session)
        noted = (None, False) if row is None else BlacklistedToken.objects.note(row[0])
        sessions.end([session], reason=EndReason.LOGOUT)
    return noted


def blacklist_statement(jti: str, *, until: int) -> tuple[Any, bool]:
    """Return the row of a token without a user, which was denied by its id, and whether it is new."""
    if not is_installed():
        return None, False
    defaults = {"token": NO_TOKEN, "expires_at": datetime_from_epoch(until)}
    row, _ = OutstandingToken.objects.get_or_create(jti=jti, defaults=defaults)
    return BlacklistedToken.objects.note(row)


def take_back(token: Any) -> None:
    """End the session that a row stands for, or deny the token without a user."""
    parsed = parse_jti(token.jti)
    if parsed is None:
        return  # A token of simplejwt's own, whose rows are asked when it is presented.
    session = Session.objects.filter(pk=parsed[0]).first()
    if session is not None:
        sessions.end([session], reason=EndReason.REVOKED)
    else:
        issuing.deny_statement(token.jti, datetime_to_epoch(token.expires_at))


def after_use(sender: Any, session: Session, **kwargs: Any) -> None:
    """Insert the row at the sign-in. A session that is older than this app gets it at its refresh."""
    outstand(session)


def after_end(sender: Any, sid: UUID, **kwargs: Any) -> None:
    row = OutstandingToken.objects.filter(jti=_jti(sid)).first()
    if row is not None:
        BlacklistedToken.objects.note(row)


def _jti(sid: UUID) -> str:
    return jti_of(sid, 0, TokenType.REFRESH)

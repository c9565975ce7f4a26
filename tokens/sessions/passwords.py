"""Change a password: which sessions end with it, and how the caller's own session continues."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from .. import clock, denylist, signals
from ..client import Client, current_client
from ..database import places
from ..errors import Denied, SessionEnded, UserGone
from ..models import EndReason, Session, SessionKind
from . import pairs, status, writes
from .auth_hash import auth_hashes
from .decision import check_continues
from .eligibility import lock
from .ending import end_with_user
from .pairs import Check, TokenPair
from .refreshing import move_on

# A refresh of the same session may come first; each attempt then begins with the row as it is.
ATTEMPTS = 5

_continues: ContextVar[UUID | None] = ContextVar("tokens_session_that_continues", default=None)


def change_password(
    user: Any,
    *,
    keep: UUID,
    save: Callable[[], Any] | None = None,
    client: Client | None = None,
    check: Check | None = None,
    now: datetime | None = None,
) -> TokenPair:
    """
    Save the user's new password, end the other sessions, and return the new pair of this session.

    ``keep`` is the ``sid`` of the session that continues, such as ``request.auth.sid``. All its
    earlier tokens are refused from now on, because another person may hold them too; its limits,
    claims and id stay. ``save`` saves the user, by default the field ``password`` of ``user``. It is
    called while the user's row is locked, and may raise: then nothing changes. ``check`` is called
    with the pair before anything is written, and may raise.

    Without this function a new password ends every session, as Django's
    ``update_session_auth_hash`` is needed to keep Django's own session.

    Raises TokenError if that session does not continue or its key was revoked, and ClaimsError.
    """
    now = now or clock.now()
    began = time.monotonic()
    save = save or partial(user.save, update_fields=["password"])
    for _ in range(ATTEMPTS):
        session = _read(user, keep, now=now)
        successor = copy(session)
        move_on(successor, client=client or current_client(), now=now)
        successor.first_generation = successor.generation
        successor.status_index = status.after_move(successor, now=now)
        pair = pairs.issue(successor, now=now, check=check)
        with places.atomic(Session):
            lock(user)
            columns = {name: getattr(successor, name) for name in writes.ROTATED}
            columns["first_generation"] = successor.first_generation
            columns["status_index"] = successor.status_index
            # Every earlier token is refused, so no late answer can be helped.
            if not writes.rotate_through_orm(
                keep, session.generation, session.auth_hash, late_since=now, **columns
            ):
                continue
            _refuse_revoked_meanwhile(session, successor)
            with _continuing(keep):
                save()
            end_after_password_change(lock(user), keep=keep, now=now)
            _refuse_earlier_tokens(successor, until=now + _since(began), now=now)
            status.refuse_former(session, now=now)
        return pair
    raise SessionEnded(f"Session {keep} was refreshed {ATTEMPTS} times at the same time.")


def _refuse_revoked_meanwhile(session: Session, successor: Session) -> None:
    """Raise Denied if the session's key was revoked after it was read, or a cut-off refuses it."""
    # A revocation makes another key sign, so nothing is asked while the key is the same.
    if session.kid != successor.kid and denylist.find([session.kid]):
        raise Denied(f"Key {session.kid} was revoked, and with it session {session.pk}.")
    # Other services would accept the new token, which was issued after the cut-off.
    if denylist.find_cut_offs(str(session.user_id), begun_at=session.started_at):
        raise Denied(f"Session {session.pk} was revoked with others.")


def end_after_password_change(user: Any, *, keep: UUID | None, now: datetime | None = None) -> int:
    """End the sessions that began with another password; ``keep`` continues with the new one."""
    if keep is not None:
        Session.objects.filter(pk=keep, user=user).update(auth_hash=user.get_session_auth_hash())
    outdated = Session.objects.filter(user=user, ended_at=None)
    outdated = outdated.exclude(auth_hash__in=list(auth_hashes(user)))
    return end_with_user(user, outdated, reason=EndReason.PASSWORD_CHANGED, now=now)


def session_that_continues() -> UUID | None:
    """Return the session for which ``change_password`` saves a user now."""
    return _continues.get()


def keep_after_rehash(user: Any, *, former_hashes: Iterable[str]) -> None:
    """Keep the user's sessions when the same password gets a new hash."""
    Session.objects.filter(user=user, auth_hash__in=list(former_hashes)).update(
        auth_hash=user.get_session_auth_hash()
    )


def _read(user: Any, sid: UUID, *, now: datetime) -> Session:
    # A session whose access token came alone has no pair that it could move to.
    of_user = Session.objects.filter(user=user, kind=SessionKind.PAIR)
    session = of_user.select_related("user").filter(pk=sid).first()
    if session is None:
        raise UserGone(f"User {user.pk} has no session {sid} with a refresh token.")
    check_continues(session, now=now)
    return session


@contextmanager
def _continuing(sid: UUID) -> Iterator[None]:
    token = _continues.set(sid)
    try:
        yield
    finally:
        _continues.reset(token)


def _since(began: float) -> timedelta:
    return timedelta(seconds=time.monotonic() - began)


def _refuse_earlier_tokens(session: Session, *, until: datetime, now: datetime) -> None:
    """Let each process in snapshot mode ask the row about this session's access tokens."""
    denylist.ask_about(
        session.pk.hex,
        version=session.first_generation,
        user_id=session.user_id,
        reason=EndReason.PASSWORD_CHANGED.value,
        until=until + denylist.longest_accepted(),
        now=now,
    )
    places.on_commit(
        lambda: signals.log("session_moved", sid=session.pk, user=session.user_id),
        Session,
        robust=True,
    )

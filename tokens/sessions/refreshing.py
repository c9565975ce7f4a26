"""
What a refresh token is answered. Reuse is decided here.

A refresh token is a signed (``sid``, generation) pair. The row of the session holds the current
generation; the caller whose conditional UPDATE moves it on wins the race. Nothing else about
tokens is stored.

    the refresh token is                             answer
    ──────────────────────────────────────────────   ──────────────────────────────────────
    current, and of the sign-in itself or older      rotate: the next generation, a new pair
    than the grace
    current, and younger than the grace              the current pair again
    superseded within the grace                      the current pair again
    the one before the current, and nothing of the   the current pair again: the answer that
    current one was seen in use                      brought it was lost
    the one before the current, for the first time,  the current pair again: a late answer may have
    if it was given again shortly before the         replaced the current pair in the client's store
    current one
    superseded otherwise                             reuse: the session ends, its access
                                                     tokens included

So a session rotates once per grace at most, and all calls in flight get the same pair. ``_repeat``
records each pair given again. If it may be the first answer that arrives, because nothing of the pair
was seen, and more than half of the grace is over, then the grace begins anew, for the calls that were
queued with the same token. It does so after each answer that comes later than the grace.

With TOKENS_ROTATION = "on_proof", every token of a session is current until a successor of its first
refresh token is presented: that proves that the client keeps successors, and from then on the table
holds. ``position_of`` decides which row of the table a token belongs to.
"""

from datetime import datetime
from enum import Enum, auto

from .. import clock, denylist, keyring, watching
from ..client import Client, current_client
from ..conf import conf
from ..database import lasting
from ..errors import Denied, RefreshTokenReused, SessionEnded
from ..jose import Claims, TokenType, generation_of
from ..models import EndReason, Session
from ..secret import RawToken, Secret, hide
from . import auth_hash, events, pairs, seen, writes
from .authentication import Admit, Authenticated, look_up
from .ending import end, end_reused
from .pairs import Check, TokenPair


def refresh(
    raw_refresh: RawToken,
    *,
    client: Client | None = None,
    check: Check | None = None,
    admit: Admit | None = None,
    now: datetime | None = None,
) -> TokenPair:
    """
    Answer a refresh token by the table above: with a new pair, or with the current pair again.

    ``check`` is called with the pair before the row changes, and may raise: then the same token can
    be used again. A reuse ends the session, because the server cannot tell the thief from the client
    (RFC 9700 §4.14.2), and that end lasts although RefreshTokenReused is raised.

    ``admit`` is called with the claims before anything is written for a token that would be answered,
    and may raise. It is not asked about a reuse. Otherwise a thief could use the session so often that
    the owner's superseded token is turned away unread, and the theft is never detected.

    Raises TokenError, and ClaimsError for claims of the project that no token can hold. Raises
    RuntimeError if an end could not last (see ``lasting``).
    """
    raw_refresh = hide(raw_refresh)
    lasting.require(Session)
    # The instant of arrival: a caller who queued behind the winner is not late.
    now = now or clock.now()
    client = client or current_client()
    with watching.watched("refresh") as run:
        pair, run.outcome = _answer(raw_refresh, client=client, check=check, admit=admit, now=now)
    return pair


def _answer(
    raw_refresh: Secret[str],
    *,
    client: Client,
    check: Check | None,
    admit: Admit | None,
    now: datetime,
) -> tuple[TokenPair, str]:
    """Return the pair, and whether it was "rotated" or "repeated"."""
    found = look_up(raw_refresh, type=TokenType.REFRESH, now=now)
    claims, session = found.claims, found.session
    answer = _refuse_reuse(claims, session, client=client, now=now)
    if admit:
        admit(claims)
    if answer is Answer.ROTATE:
        read = session.generation, session.auth_hash
        if is_proof(claims, session):
            session.proven_generation = session.generation
        move_on(session, client=client, now=now)
        pair = pairs.issue(session, now=now, check=check)
        if _rotate(session, *read):
            _refuse_revoked_meanwhile(claims, session, client=client, now=now)
            events.refreshed(session, client)
            return pair, "rotated"
        # Another caller moved the row between the query and the UPDATE: read it again, once.
        session = look_up(raw_refresh, type=TokenType.REFRESH, now=now).session
        _refuse_reuse(claims, session, client=client, now=now)
    again = _repeat(claims, session, client=client, check=check, now=now)
    if again is None:
        # Another caller rotated meanwhile: this answer would put an older pair into the store.
        session = look_up(raw_refresh, type=TokenType.REFRESH, now=now).session
        again = _repeat(claims, session, client=client, check=check, now=now)
    if again is None:
        raise SessionEnded(f"Session {session.pk} was rotated again and again.")
    return again, "repeated"


def find_by_refresh_token(
    raw_refresh: RawToken, *, client: Client | None = None, now: datetime | None = None
) -> Authenticated:
    """
    Return the session of a refresh token that ``refresh`` would answer, for ending it.

    Any other refresh token is a reuse, and ends its session as one: then RefreshTokenReused is
    raised. Raises TokenError; SessionEnded is one.
    """
    raw_refresh = hide(raw_refresh)
    lasting.require(Session)
    now = now or clock.now()
    found = look_up(raw_refresh, type=TokenType.REFRESH, now=now)
    if not would_refresh(found.claims, found.session, now=now):
        end_reused(found.session, client=client or current_client(), now=now)
        raise RefreshTokenReused(f"Generation {found.claims.generation} came back.")
    return found


def would_refresh(claims: Claims, session: Session, *, now: datetime) -> bool:
    """Return whether ``refresh`` would answer this refresh token of a session that continues."""
    return answer_to(claims, session, now=now) is not Answer.REUSE


class Answer(Enum):
    """The right column of the table at the top."""

    ROTATE = auto()
    REPEAT = auto()
    REUSE = auto()


def position_of(claims: Claims, session: Session) -> int:
    """
    Return the generation that this refresh token counts as in the table at the top.

    It is the token's own, except for those that were issued before the session was proven.
    """
    generation, proven = generation_of(claims), session.proven_generation
    if not proven and conf.TOKENS_ROTATION == "on_proof":
        return session.generation
    if not proven or generation > proven:
        return generation
    # All successors were as good as the current one, and the first token as the one before it: calls
    # that were queued when the proof came are answered by the grace.
    return proven if generation > session.first_generation else proven - 1


def is_proof(claims: Claims, session: Session) -> bool:
    """Return whether this is the first time that a successor of the first token is presented."""
    return not session.proven_generation and generation_of(claims) > session.first_generation


def answer_to(claims: Claims, session: Session, *, now: datetime) -> Answer:
    in_grace = _is_in_grace(session, now=now)
    position = position_of(claims, session)
    if position == session.generation:
        return Answer.REPEAT if in_grace and session.generation else Answer.ROTATE
    # A generation lasts longer than the grace, so only the one before was superseded within it.
    if position == session.generation - 1 and (
        in_grace or not session.seen or session.is_late_answer_possible
    ):
        return Answer.REPEAT
    return Answer.REUSE


def _refuse_reuse(claims: Claims, session: Session, *, client: Client, now: datetime) -> Answer:
    """Return the answer to the token; end the session and raise RefreshTokenReused for a reuse."""
    answer = answer_to(claims, session, now=now)
    if answer is Answer.REUSE or _is_refused_elsewhere(claims, session, client):
        end_reused(session, client=client, now=now)
        raise RefreshTokenReused(
            f"Generation {claims.generation} came back; {session.generation} is current."
        )
    return answer


def move_on(session: Session, *, client: Client, now: datetime) -> None:
    """Change the object to what its row will be after the rotation. Nothing is written."""
    session.generation += 1
    session.kid = keyring.signing_key(lifetime=session.idle_lifetime).kid
    # Follows SECRET_KEY: a fallback can be removed once each session was refreshed.
    session.auth_hash = auth_hash.current_hash(session.user)
    session.refreshed_at = now
    session.refreshed_ip_address = client.ip_address
    session.refreshed_user_agent = client.user_agent
    idle = session.idle_lifetime or conf.TOKENS_REFRESH_LIFETIME
    session.idle_until = min(now + idle, session.expires_at)
    session.seen = False


def _rotate(session: Session, generation: int, known_hash: str) -> bool:
    """
    Write a session that moved on from this generation and auth hash.

    Return False, and change nothing, if the row has moved on too.
    """
    return writes.rotate(
        session.pk,
        generation,
        known_hash,
        late_since=session.refreshed_at - conf.TOKENS_REFRESH_GRACE / 2,
        **{name: getattr(session, name) for name in writes.ROTATED},
    )


def _repeat(
    claims: Claims, session: Session, *, client: Client, check: Check | None, now: datetime
) -> TokenPair | None:
    """
    Return the current pair again, with an access token of a whole lifetime, and record it.

    None if the row has moved on since it was read.
    """
    is_superseded = is_superseded_by(claims, session)
    waited = now - session.refreshed_at
    is_late = waited > conf.TOKENS_REFRESH_GRACE
    may_be_first = not session.seen and waited > conf.TOKENS_REFRESH_GRACE / 2
    if is_late:
        session.refreshed_at = now  # All who get the pair from now on get the same refresh token.
    pair = pairs.issue(session, now=now, check=check)
    _refuse_revoked_meanwhile(claims, session, client=client, now=now)
    if is_superseded and (is_late or may_be_first):
        # Otherwise, the first of several queued calls would make thieves of the others: by its use
        # of the pair, or by rotating it.
        once = {"is_late_answer_possible": False} if is_late else {}
        writes.restart_grace(session.pk, session.generation, now=now, **once)
    if generation_of(claims) == session.generation:
        seen.note(session.pk, session.generation)
    if is_proof(claims, session):
        writes.note_proof(session.pk, session.generation)
    return pair if record_repeat(session, client=client, answered=True, now=now) else None


def is_superseded_by(claims: Claims, session: Session) -> bool:
    """Return whether the session has rotated since this refresh token was the current one."""
    return position_of(claims, session) != session.generation


def _is_in_grace(session: Session, *, now: datetime) -> bool:
    return now - session.refreshed_at <= conf.TOKENS_REFRESH_GRACE


def record_repeat(session: Session, *, client: Client, answered: bool, now: datetime) -> bool:
    """
    Record that the current pair was given again, or that a superseded token was shown to verify().

    Return False, and record nothing, if the row has moved on since the pair was made.
    """
    elsewhere = client.is_elsewhere(session.refreshed_ip_address, session.refreshed_user_agent)

    def work() -> bool:
        if answered:
            counted = writes.count_repeat(
                session.pk, session.generation, elsewhere=elsewhere, now=now
            )
        else:
            counted = writes.count_shown(session.pk, elsewhere=elsewhere)
        if counted:
            events.repeated(session, client, elsewhere=elsewhere, answered=answered)
        return counted

    return lasting.do(work, Session)


def _is_refused_elsewhere(claims: Claims, session: Session, client: Client) -> bool:
    """Return whether the project refuses a superseded token from another network and user agent."""
    return (
        conf.TOKENS_GRACE_ELSEWHERE == "end"
        and is_superseded_by(claims, session)
        and client.is_elsewhere(session.refreshed_ip_address, session.refreshed_user_agent)
    )


def _refuse_revoked_meanwhile(
    claims: Claims, session: Session, *, client: Client, now: datetime
) -> None:
    """
    End the session and raise Denied if the token's key was revoked after the query.

    A revocation makes another key sign, so nothing is asked while the key is the same.
    """
    if session.kid != claims.kid and denylist.is_denied(claims):
        end([session], reason=EndReason.REVOKED, client=client, now=now)
        raise Denied(f"Key {claims.kid} was revoked during the refresh.")

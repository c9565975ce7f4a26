"""
The claim of access tokens, and the refused indices that no session's row names.

``sessions`` calls the functions that ``sessions.status.Statuses`` describes. ``Session.status_index``
holds one or two pairs ``generation:index``. A token of the session has the index of the last pair
whose generation is not later than its own. There are two pairs after one of the session's tokens was
denied: the session goes on, and its later tokens are good.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from .. import clock, denylist, keyring, sessions
from ..conf import conf
from ..database import places
from ..database.places import place_of
from ..errors import UserGone
from ..models import Session, SessionKind, locked
from . import indices, lists
from .models import RefusedIndex

BATCH_SIZE = 500  # rows of one statement


def margin() -> timedelta:
    """
    Return how long after a session's end another service may still accept a token of its pair.

    This is twice the time that the settings of this process give: other processes may have older
    settings and other clocks. Until then the status stays INVALID; then the token has expired (§7.1).
    """
    return 2 * denylist.longest_accepted()


def pairs_in(status_index: str) -> Iterator[tuple[int, int]]:
    """Yield the pairs of a generation and an index that the column of a session holds."""
    for pair in status_index.split():
        generation, _, index = pair.partition(":")
        yield int(generation), int(index)


def index_of(status_index: str, generation: int) -> int:
    """Return the index of the tokens of this generation. Before the first pair, its index counts."""
    (_, found), *later = pairs_in(status_index)
    return next((index for since, index in reversed(later) if since <= generation), found)


def claims(session: Session, /, *, until: datetime, now: datetime) -> Mapping[str, Any]:
    """
    Return the claim ``status`` of the session's access tokens (§6.2). No query if they have an index.

    The claim is empty while the signing key has no public half, and for a token that lasts longer than
    the lists name its status.
    """
    base = conf.TOKENS_STATUS_LIST_URL
    if not base:
        return {}
    if session.kind == SessionKind.PAIR and until > now + conf.TOKENS_ACCESS_LIFETIME:
        return {}
    if keyring.verification_key(session.kid, now=session.refreshed_at).public is None:
        return {}
    if not session.status_index:
        _give_index(session, now=now)
    index = index_of(session.status_index, session.generation)
    number, idx = divmod(index, lists.LIST_SIZE)
    return lists.claim_of(idx, lists.uri_of(number, base))


def _give_index(session: Session, *, now: datetime) -> None:
    """Set the column. A session from before the installation is stored already: update its row."""
    session.status_index = f"0:{indices.take(until=session.expires_at, now=now)}"
    if session._state.adding:
        return
    row = Session.objects.filter(pk=session.pk)
    if not row.filter(status_index="").update(status_index=session.status_index):
        # Another process has set it first.
        stored = row.values_list("status_index", flat=True).first()
        session.status_index = stored or session.status_index


def after_move(session: Session, /, *, now: datetime) -> str:
    """Return the column with a new index from this generation on, or empty if there was none."""
    if not session.status_index:
        return ""
    return f"{session.generation}:{indices.take(until=session.expires_at, now=now)}"


def refuse_former(session: Session, /, *, now: datetime) -> None:
    """Refuse all indices that the session had before a password change."""
    _refuse_all(session.status_index, until=now + margin())


def refuse_token(session: Session, generation: int, /, *, now: datetime) -> None:
    """Refuse the index of this token, and give another to the later tokens of its session."""
    if not session.status_index:
        return
    if session.kind != SessionKind.PAIR:
        _refuse_all(session.status_index, until=denylist.last_accepted(session.expires_at))
        return
    # Before the row is locked: every transaction locks the block first, which avoids a deadlock.
    later = indices.take(until=session.expires_at, now=now)
    with places.atomic(Session):
        row = Session.objects.filter(pk=session.pk)
        for stored in locked(row.values_list("status_index", flat=True)):
            since = [each for each, _ in pairs_in(stored)]
            if generation < since[0]:
                continue  # Its index was refused before, and is not that of the first pair.
            known = f"{generation}:{index_of(stored, generation)}"
            _refuse_all(known, until=now + margin())
            if since[-1] <= generation:  # Otherwise this token was denied before.
                row.update(status_index=f"{known} {generation + 1}:{later}")


def before_user_delete(sender: Any, instance: Any, **kwargs: Any) -> None:
    """Refuse the indices of the user's sessions before their rows are gone."""
    now = clock.now()
    with suppress(UserGone):
        sessions.lock(instance)  # A sign-in at the same time comes first, or starts no session.
    of_user = Session.objects.filter(user=instance, expires_at__gt=now).exclude(status_index="")
    lately = of_user.filter(kind=SessionKind.PAIR, refreshed_at__gt=now - margin())
    _refuse_all(" ".join(lately.values_list("status_index", flat=True)), until=now + margin())
    alone = of_user.filter(kind=SessionKind.ACCESS).values_list("status_index", "expires_at")
    for status_index, expires_at in alone:
        _refuse_all(status_index, until=denylist.last_accepted(expires_at))


def _refuse_all(status_index: str, *, until: datetime) -> None:
    """Refuse the indices of all pairs, until the last token with one of them has expired."""
    RefusedIndex.objects.using(place_of(RefusedIndex).alias).bulk_create(
        [RefusedIndex(index=index, until=until) for _, index in pairs_in(status_index)],
        batch_size=BATCH_SIZE,
        update_conflicts=True,
        update_fields=["until"],
        unique_fields=["index"],
    )

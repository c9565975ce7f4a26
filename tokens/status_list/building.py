"""
Read from the database which indices are INVALID, and set their bits.

The rows of the sessions, the cut-offs and the revoked keys decide this, as they decide about a request
here, together with ``RefusedIndex``. Only rows with a token that may still be accepted are read. So the
memory depends on the number of lists, and not on the number of sessions.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from ..conf import conf
from ..database.places import place_of
from ..models import EVERYONE, DeniedToken, Session, SessionKind
from .lists import LIST_SIZE, Bits
from .models import BLOCK_SIZE, Block, RefusedIndex
from .statuses import margin, pairs_in

Kind = DeniedToken.Kind
CHUNK_SIZE = 2000  # rows that are in memory at a time


def build(*, now: datetime) -> dict[int, Bits]:
    """Return the lists by their numbers, with everything that was committed before this call."""
    alias = place_of(Block).alias
    blocks = list(Block.objects.using(alias).values_list("number", "opened_at"))
    found = {number * BLOCK_SIZE // LIST_SIZE: Bits() for number, _ in blocks}
    unexpired = (
        Session.objects.using(alias)
        .filter(expires_at__gt=now - 2 * conf.TOKENS_LEEWAY)
        .exclude(status_index="")
    )
    denials = DeniedToken.objects.using(alias)
    since = now - margin()
    cut_off = denials.filter(value=EVERYONE, denied_at__gt=since).first()
    if cut_off and cut_off.issued_before:
        _refuse_everything(found, blocks, unexpired, before=cut_off.issued_before)
    for rows in _refused(unexpired, denials, since=since):
        for status_index in rows.values_list("status_index", flat=True).iterator(CHUNK_SIZE):
            _set(found, status_index)
    others = RefusedIndex.objects.using(alias).filter(until__gt=now)
    for index in others.values_list("index", flat=True).iterator(CHUNK_SIZE):
        number, idx = divmod(index, LIST_SIZE)
        if number in found:
            found[number].refuse(idx)
    return found


def _refused(
    unexpired: QuerySet[Session], denials: QuerySet[DeniedToken], *, since: datetime
) -> Iterable[QuerySet[Session]]:
    """Yield the queries for refused sessions with tokens that were issued ``since`` or later."""
    of_pairs = unexpired.filter(kind=SessionKind.PAIR)
    # Ended for any reason; an index on ended_at serves this.
    yield of_pairs.filter(ended_at__gt=since)
    lately = of_pairs.filter(ended_at=None, refreshed_at__gt=since)
    keys = denials.filter(kind=Kind.KEY)
    if kids := list(keys.filter(denied_at__gt=since).values_list("value", flat=True)):
        yield lately.filter(kid__in=kids)
    of_users = denials.filter(kind=Kind.CUT_OFF, user__isnull=False)
    cut_off_later = Exists(
        of_users.filter(user=OuterRef("user"), issued_before__gt=OuterRef("started_at"))
    )
    if of_users.filter(denied_at__gt=since).exists():
        cut = of_users.filter(denied_at__gt=since).values("user")
        yield lately.filter(cut_off_later, user__in=cut)
    # One token each, which may last longer than any denial.
    everyone = denials.filter(value=EVERYONE, issued_before__gt=OuterRef("started_at"))
    yield unexpired.filter(kind=SessionKind.ACCESS).filter(
        Q(ended_at__isnull=False)
        | Q(Exists(everyone))
        | Q(cut_off_later)
        | Q(kid__in=keys.values("value"))
    )


def _refuse_everything(
    found: dict[int, Bits],
    blocks: Iterable[tuple[int, datetime]],
    unexpired: QuerySet[Session],
    *,
    before: datetime,
) -> None:
    """Refuse all indices of earlier blocks, except those of the few sessions that began since."""
    for number, opened_at in blocks:
        if opened_at < before:
            first = number * BLOCK_SIZE
            found[first // LIST_SIZE].refuse_all(first % LIST_SIZE, BLOCK_SIZE)
    begun = unexpired.filter(started_at__gte=before).values_list("status_index", flat=True)
    for status_index in begun.iterator(CHUNK_SIZE):
        for _, index in pairs_in(status_index):
            number, idx = divmod(index, LIST_SIZE)
            if number in found:
                found[number].accept(idx)


def _set(found: dict[int, Bits], status_index: str) -> None:
    for _, index in pairs_in(status_index):
        number, idx = divmod(index, LIST_SIZE)
        if number in found:
            found[number].refuse(idx)

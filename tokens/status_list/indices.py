"""
Give an index to a session; no two sessions get the same (§13.3).

Indices come in blocks. A secret seed decides the order in which a block's indices are given away, so an
index reveals only its block, and the number of sign-ins only to within BLOCK_SIZE (§12.4). A process
takes indices by one UPDATE of the block's counter, and reads nothing before. Outside a transaction, it
takes as many at once as it needs for some seconds; those that are left then are never used.
"""

import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from django.db import connections
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Greatest

from .. import clock, denylist
from ..conf import conf
from ..database import places
from ..database.places import PerPlace, place_of
from ..models import EVERYONE, DeniedToken, InstantField
from .models import BLOCK_SIZE, SEED_LENGTH, Block, RefusedIndex

MOST_AT_ONCE = 64
# Indices that were taken at once are given away within so many seconds.
KEPT_FOR = 5.0
# A block is kept for so long after its last session has expired: the clocks of hosts differ.
KEPT_AFTERWARDS = timedelta(days=1)
_ROUNDS = 8
_HALF = 8  # bits


@dataclass(slots=True)
class _Chunk:
    """Some turns of a block: from ``next`` up to but not including ``end``."""

    block: int
    seed: bytes
    next: int
    end: int
    until: datetime
    taken_at: float

    def give(self) -> int:
        turn = self.next
        self.next += 1
        return self.block * BLOCK_SIZE + position(self.seed, turn)


class _Pool:
    """The indices that this process has taken for future sessions. Thread-safe."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.chunk: _Chunk | None = None
        self.size = 1

    def take(self, alias: str, *, until: datetime, now: datetime) -> int:
        with self.lock:
            chunk, elapsed = self.chunk, clock.elapsed()
            is_fresh = chunk is not None and elapsed - chunk.taken_at <= KEPT_FOR
            if chunk is None or not is_fresh or chunk.next == chunk.end:
                self.size = min(2 * self.size, MOST_AT_ONCE) if is_fresh else 1
                longest = max(until, now + conf.TOKENS_SESSION_LIFETIME)
                chunk = self.chunk = _take(self.size, alias, until=longest, now=now)
            elif until > chunk.until + KEPT_AFTERWARDS / 2:
                # The session lasts longer than others, so its block must be kept for longer.
                chunk = _take(1, alias, until=until, now=now)
            return chunk.give()


_pools = PerPlace(_Pool)


def forget() -> None:
    """Forget the indices that this process has taken for future sessions."""
    _pools.forget()


def take(*, until: datetime, now: datetime) -> int:
    """Return an index for a session that expires at ``until``."""
    place = place_of(Block)
    if connections[place.alias].in_atomic_block:
        # If the transaction is rolled back, another session gets the index.
        return _take(1, place.alias, until=until, now=now).give()
    return _pools.at(place).take(place.alias, until=until, now=now)


def position(seed: bytes, turn: int) -> int:
    """Return the place of a turn in its block: a permutation that depends on the secret seed."""
    left, right = divmod(turn, 1 << _HALF)
    for round in range(_ROUNDS):  # a Feistel network
        mixed = blake2b(bytes((round, right)), key=seed, digest_size=1).digest()[0]
        left, right = right, left ^ mixed
    return left << _HALF | right


def _take(count: int, alias: str, *, until: datetime, now: datetime) -> _Chunk:
    number = None
    while (chunk := _take_from_open(count, alias, until=until)) is None:
        if number is not None:
            _open_block(number, alias, until=until, now=now)
        # Before the next attempt: if another process opens a block before it, that one is found, and
        # if later, then both open the one of this number.
        number = _first_free(alias)
    return chunk


def _take_from_open(count: int, alias: str, *, until: datetime) -> _Chunk | None:
    """Return turns of an open block, or None if no block has so many."""
    holder = secrets.token_hex(16)
    blocks = Block.objects.using(alias)
    has_room = Q(taken__lte=BLOCK_SIZE - count)
    # A cut-off refuses whole blocks, so sessions that begin afterwards get theirs from others.
    cut_off = Exists(_cut_offs(alias).filter(issued_before__gt=OuterRef("opened_at")))
    is_open = has_room & ~Q(cut_off)
    first = blocks.filter(is_open).order_by("opened_at", "number").values("number")[:1]
    with places.atomic(Block):
        # Its condition again: PostgreSQL may have waited for another UPDATE, and has one block then.
        rows = blocks.filter(has_room, number__in=first)
        later = Greatest(F("until"), Value(until, output_field=InstantField()))
        if not rows.update(taken=F("taken") + count, holder=holder, until=later):
            return None
        block = blocks.get(holder=holder)  # Locked by the UPDATE until this transaction commits.
    end = block.taken
    return _Chunk(
        block.number, bytes(block.seed), end - count, end, until, taken_at=clock.elapsed()
    )


def _first_free(alias: str) -> int:
    """Return the lowest number that no block has."""
    used = set(Block.objects.using(alias).values_list("number", flat=True))
    return next(number for number in range(len(used) + 1) if number not in used)


def _open_block(number: int, alias: str, *, until: datetime, now: datetime) -> None:
    """Open the block of this number, unless another process has done so."""
    cut_off = _cut_offs(alias).values_list("issued_before", flat=True).first()
    block = Block(
        number=number,
        seed=secrets.token_bytes(SEED_LENGTH),
        opened_at=max(now, cut_off or now),
        until=until,
    )
    Block.objects.using(alias).bulk_create([block], ignore_conflicts=True)


def _cut_offs(alias: str) -> QuerySet[DeniedToken]:
    return DeniedToken.objects.using(alias).filter(value=EVERYONE)


def prunable_blocks(now: datetime) -> list[QuerySet[Any]]:
    """Return the blocks none of whose indices belongs to an unexpired session."""
    return [Block.objects.filter(until__lt=now - KEPT_AFTERWARDS).order_by("until")]


def prunable_refusals(now: datetime) -> list[QuerySet[Any]]:
    rows = RefusedIndex.objects.filter(until__lt=now - denylist.PRUNE_SAFETY_MARGIN)
    return [rows.order_by("until")]

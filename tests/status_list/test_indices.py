"""No two sessions get the same index, and an index does not tell how many sessions there are."""

import itertools
import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.status_list.conftest import BASE, NOW, bits_of, read_list, reference
from tests.support.races import PROCESSES, THREADS, race
from tokens import sessions
from tokens.conf import conf
from tokens.models import Session
from tokens.operations import pruning
from tokens.status_list import forget, indices
from tokens.status_list.models import BLOCK_SIZE, Block, RefusedIndex
from tokens.testing.frozen import FrozenClock

DAY = timedelta(days=1)
LATER = NOW + 90 * DAY

pytestmark = pytest.mark.django_db(transaction=True)


def take(**how: Any) -> int:
    return indices.take(**{"until": LATER, "now": NOW, **how})


def open_block(number: int, *, taken: int = 0, until: Any = LATER, opened_at: Any = NOW) -> Block:
    seed = bytes([number]) * 16
    return Block.objects.create(
        number=number, seed=seed, taken=taken, until=until, opened_at=opened_at
    )


def test_the_places_of_a_block_are_given_in_an_order_that_only_the_seed_tells() -> None:
    places = [indices.position(b"a" * 16, turn) for turn in range(BLOCK_SIZE)]
    assert sorted(places) == list(range(BLOCK_SIZE))
    others = [indices.position(b"b" * 16, turn) for turn in range(BLOCK_SIZE)]
    assert sum(a == b for a, b in zip(places, others, strict=True)) < 20
    # As far apart as random numbers are: a third of the block.
    steps = [abs(a - b) for a, b in itertools.pairwise(places)]
    assert abs(sum(steps) / len(steps) / BLOCK_SIZE - 1 / 3) < 0.01


def test_the_first_thousand_places_lie_everywhere() -> None:
    numbers = random.Random(2)
    places = [indices.position(numbers.randbytes(16), turn) for turn in range(1000)]
    in_eighths = Counter(place * 8 // BLOCK_SIZE for place in places)
    assert len(in_eighths) == 8
    assert all(80 < count < 175 for count in in_eighths.values())


def test_all_indices_of_a_block_are_given_once_and_then_those_of_the_next() -> None:
    open_block(0, taken=BLOCK_SIZE - 100)
    given = [take() for _ in range(300)]
    assert len(set(given)) == 300
    assert {index // BLOCK_SIZE for index in given} == {0, 1}
    expected = {indices.position(b"\0" * 16, BLOCK_SIZE - turn) for turn in range(1, 101)}
    assert {index for index in given if index < BLOCK_SIZE} <= expected


def test_a_process_that_needs_many_takes_many_at_once(
    frozen_clock: FrozenClock, django_assert_max_num_queries: Any
) -> None:
    take()
    with django_assert_max_num_queries(60):  # Four for each time, two of which begin and commit.
        given = [take() for _ in range(500)]
    assert len(set(given)) == 500
    frozen_clock.shift(timedelta(seconds=6))
    taken = Block.objects.get().taken
    take()
    # What was kept for some seconds is never used, and one sign-in needs no more than one.
    assert Block.objects.get().taken == taken + 1


def test_what_a_transaction_takes_is_given_again_only_if_it_is_rolled_back() -> None:
    kept = take()
    with transaction.atomic():
        undone = take()
        transaction.set_rollback(True)
    with transaction.atomic():
        assert take() == undone
        forget()
    assert len({kept, undone, *(take() for _ in range(20))}) == 22


def test_a_process_that_begins_anew_gives_no_index_twice() -> None:
    given = []
    for _ in range(20):
        given += [take() for _ in range(5)]
        forget()
    assert len(set(given)) == 100


def test_a_block_is_kept_as_long_as_its_longest_session() -> None:
    take(until=NOW + DAY)
    assert Block.objects.get().until == NOW + conf.TOKENS_SESSION_LIFETIME
    take(until=NOW + 400 * DAY)
    assert Block.objects.get().until == NOW + 400 * DAY
    take(until=NOW + DAY)
    assert Block.objects.get().until == NOW + 400 * DAY
    # Also if the process has taken several for sessions of the usual length.
    forget()
    for _ in range(6):
        take(until=NOW + DAY)
    assert len({take(until=NOW + 500 * DAY), take(), take(until=NOW + 500 * DAY)}) == 3
    assert Block.objects.get().until == NOW + 500 * DAY


def test_pruning_recycles_whole_blocks() -> None:
    """A number is used again, with another seed, once every session of the block has expired."""
    open_block(0, taken=BLOCK_SIZE, until=NOW - 2 * DAY)
    open_block(1, taken=BLOCK_SIZE, until=NOW - DAY / 2)
    RefusedIndex.objects.create(index=5, until=NOW - 2 * DAY)
    RefusedIndex.objects.create(index=BLOCK_SIZE + 5, until=NOW)
    assert pruning.count(now=NOW)["status_blocks"] == 1
    deleted = pruning.prune(now=NOW).deleted
    assert (deleted["status_blocks"], deleted["status_refusals"]) == (1, 1)
    assert Block.objects.get().number == 1
    assert RefusedIndex.objects.get().index == BLOCK_SIZE + 5
    assert take() // BLOCK_SIZE == 0
    assert bytes(Block.objects.get(number=0).seed) != b"\0" * 16
    assert "status_blocks" not in pruning.prune(now=NOW).deleted


def test_the_rows_of_a_former_holder_do_not_refuse_a_recycled_index(
    user: Any, frozen_clock: FrozenClock
) -> None:
    former = sessions.start(user)
    index = former.session.status_index
    frozen_clock.shift(conf.TOKENS_SESSION_LIFETIME + 2 * DAY)
    pruning.prune()
    current = sessions.start(user).session
    Session.objects.filter(pk=current.pk).update(status_index=index)
    # It ends although it has expired, with all others of its user.
    Session.objects.filter(pk=former.session.pk).update(
        ended_at=frozen_clock.now(), end_reason="revoked"
    )
    forget()
    assert not any(bits_of(read_list(f"{BASE}0")))


def test_an_index_of_a_block_that_is_gone_is_in_no_list(user: Any) -> None:
    pair = sessions.start(user)
    elsewhere = f"0:{40 * BLOCK_SIZE}"
    Session.objects.filter(pk=pair.session.pk).update(status_index=elsewhere)
    RefusedIndex.objects.create(index=40 * BLOCK_SIZE + 1, until=LATER)
    sessions.revoke_everything(note="leak")
    sessions.start(user, claims={}, now=NOW + 300 * DAY)
    Session.objects.update(status_index=elsewhere)
    sessions.end_all(user, reason=sessions.EndReason.LOGOUT)
    assert read_list(f"{BASE}0")


def test_lists_have_sixteen_blocks(user: Any) -> None:
    for number in range(17):
        open_block(number, taken=BLOCK_SIZE if number < 16 else 0)
    idx, uri = reference(sessions.start(user).raw_access)
    assert uri == f"{BASE}1"
    assert idx < BLOCK_SIZE


@pytest.mark.slow
def test_processes_that_sign_in_at_once_get_different_indices() -> None:
    """Also when the first block is opened, and while the blocks fill up."""
    answers = race(*["take_indices"] * PROCESSES)
    given = [int(index) for answer in answers for index in answer.split()]
    assert len(given) == PROCESSES * THREADS * 40, answers
    assert len(set(given)) == len(given)
    Block.objects.update(taken=BLOCK_SIZE - 50)
    answers = race(*["take_indices"] * PROCESSES)
    more = [int(index) for answer in answers for index in answer.split()]
    assert len(set(more)) == len(more) == len(given)
    assert not set(more) & set(given)
    assert Block.objects.count() <= 3


def test_what_a_model_says_of_itself() -> None:
    assert str(open_block(3)) == "block 3"
    assert str(RefusedIndex(index=4)) == "index 4"

"""What indices and lists cost: queries, bytes and memory."""

import base64
import gzip
import random
import tracemalloc
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.status_list.conftest import BASE, bits_of, fetch, read_list
from tokens import clock, sessions
from tokens.models import Session
from tokens.status_list import building, lists, serving
from tokens.status_list.lists import LIST_SIZE, Bits
from tokens.status_list.models import BLOCK_SIZE, Block

SESSIONS, DENIED = 10_000_000, 44_000
AT_MOST = 150_000  # bytes of all lists together

pytestmark = pytest.mark.django_db(transaction=True)


def queries_of(work: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        work()
    return [query["sql"] for query in captured.captured_queries]


def test_a_refresh_costs_no_query_more(user: Any, settings: Any) -> None:
    minute = timedelta(minutes=1)
    with_index = sessions.start(user)
    settings.TOKENS_STATUS_LIST_URL = None
    without = sessions.start(user)
    now = clock.now() + minute
    sessions.refresh(with_index.raw_refresh, now=now)  # Compiles what this connection lacks.
    expected = len(queries_of(lambda: sessions.refresh(without.raw_refresh, now=now)))
    settings.TOKENS_STATUS_LIST_URL = BASE
    again = sessions.start(user)
    assert len(queries_of(lambda: sessions.refresh(again.raw_refresh, now=now))) == expected
    assert len(queries_of(lambda: sessions.authenticate(again.raw_access))) == 1


def test_sign_ins_that_follow_each_other_share_the_query_for_their_indices(user: Any) -> None:
    def count() -> int:
        statements = queries_of(lambda: sessions.start(user))
        return sum("block" in statement for statement in statements)

    counts = [count() for _ in range(30)]
    assert sum(map(bool, counts)) <= 6
    assert counts.count(0) >= 24


def test_all_lists_of_ten_million_sessions_with_44000_denied_are_small() -> None:
    """Set directly, because so many rows take minutes."""
    numbers = random.Random(3)
    found = [Bits() for _ in range(-(-SESSIONS // LIST_SIZE))]
    for index in numbers.sample(range(SESSIONS), DENIED):
        number, idx = divmod(index, LIST_SIZE)
        found[number].refuse(idx)
    raw = compressed = 0
    for number, bits in enumerate(found):
        payload = lists.payload_of(
            bits.compressed(),
            uri=f"{BASE}{number}",
            aggregation_uri=BASE,
            issued_at=1_900_000_000,
            ttl=30,
            expires_at=1_900_000_060,
        )
        lst = payload["status_list"]["lst"]
        # The header, the signature and the other claims have 400 characters at most.
        token = base64.urlsafe_b64encode(lst.encode()) + numbers.randbytes(400)
        raw, compressed = raw + len(token), compressed + len(gzip.compress(token, 6))
    assert compressed < 0.7 * AT_MOST
    assert raw < AT_MOST  # as they are


@pytest.fixture
def _many(user: Any) -> None:
    """Insert 20,000 sessions with an index each, of which every tenth has ended."""
    made, now = sessions.start(user).session, clock.now()
    columns = {field.attname: getattr(made, field.attname) for field in Session._meta.fields}
    blocks = 4
    Block.objects.update(taken=BLOCK_SIZE)
    Block.objects.bulk_create(
        Block(
            number=number,
            seed=b"seed of a block!",
            taken=BLOCK_SIZE,
            opened_at=now,
            until=made.expires_at,
        )
        for number in range(1, blocks)
    )
    numbers = random.Random(4)
    indices = numbers.sample(range(blocks * BLOCK_SIZE), 20_000)
    Session.objects.bulk_create(
        (
            Session(
                **columns
                | {
                    "id": UUID(int=i, version=4),
                    "status_index": f"0:{index}",
                    **({} if i % 10 else {"ended_at": now, "end_reason": "logout"}),
                }
            )
            for i, index in enumerate(indices)
        ),
        batch_size=500,
    )


@pytest.mark.slow
@pytest.mark.usefixtures("_many")
def test_the_lists_say_what_the_rows_say() -> None:
    expected = {
        int(index.partition(":")[2])
        for index in Session.objects.exclude(ended_at=None).values_list("status_index", flat=True)
    }
    bits = bits_of(read_list(f"{BASE}0"))
    assert len(expected) == 2000
    assert {idx for idx in range(LIST_SIZE) if bits[idx // 8] >> idx % 8 & 1} == expected
    assert len(fetch(f"{BASE}0").content) < 2000 * 6


@pytest.mark.slow
@pytest.mark.usefixtures("_many")
def test_a_list_is_built_in_the_memory_of_its_bits(user: Any) -> None:
    """Although everything was revoked, and then some signed in anew."""
    sessions.revoke_everything(note="leak")
    now = clock.now() + timedelta(seconds=15)
    Session.objects.filter(pk__lt=UUID(int=10_000, version=4)).update(started_at=now)
    building.build(now=now)
    tracemalloc.start()
    found = building.build(now=now)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000  # 131 kB of bits, and some thousand rows at a time
    refused = sum(found[0][idx] for idx in range(4 * BLOCK_SIZE))
    live = Session.objects.filter(started_at=now, ended_at=None).count()
    assert refused == 4 * BLOCK_SIZE - live
    assert 8000 < live < 10_000


@pytest.mark.slow
@pytest.mark.usefixtures("_many")
def test_ended_sessions_are_found_by_an_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = off")
    statements = [s for s in queries_of(lambda: building.build(now=clock.now())) if "FROM" in s]
    plans = []
    with connection.cursor() as cursor:
        for statement in statements:
            explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
            if "status_index" in statement and "DECLARE" not in statement:
                cursor.execute(f"{explain} {statement}")
                plans.append(" ".join(map(str, cursor.fetchall())))
    if connection.vendor == "sqlite":  # PostgreSQL reads by a cursor of the server.
        assert len(plans) == 2
        assert "session_ended" in plans[0]
        assert "session_alone" in plans[1]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("RESET enable_seqscan")


def test_a_process_builds_its_lists_once_for_all_readers(
    user: Any, django_assert_num_queries: Any
) -> None:
    sessions.start(user)
    serving.forget()
    fetch(f"{BASE}0")
    with django_assert_num_queries(0):
        for _ in range(10):
            fetch(f"{BASE}0")
            fetch(BASE)

"""Denial of service: the cost of one client's requests, and answers to others meanwhile."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.forging import compact
from tests.support.hostile import HEADERS, PAYLOADS, SPELLINGS
from tokens import keyring, sessions
from tokens.errors import TokenError
from tokens.keyring import ring

from .arena import Arena, assert_refusal, known_from

pytestmark = pytest.mark.usefixtures("nothing_changes")

PATIENCE = 10  # seconds for one answer, on a busy machine
MEGABYTE = 1 << 20


def queries_for(raw_token: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries, pytest.raises(TokenError):
        sessions.authenticate(raw_token)
    return [query["sql"] for query in queries]


@known_from("RFC 8725 §3.11, CWE-400")
def test_a_token_whose_signature_is_bad_costs_no_query(arena: Arena) -> None:
    keyring.signing_key()  # Read the key ring beforehand.
    bad = [spell(arena.access.raw) for _, spell in SPELLINGS.values()]
    bad += [arena.of(algorithm).token(b"x" * 64) for algorithm in keyring.ALGORITHMS]
    bad += [
        compact(arena.access.header, change(arena.access.payload), b"x" * 32)
        for _, change in PAYLOADS.values()
    ]
    assert [queries_for(raw_token) for raw_token in bad] == [[]] * len(bad)


@known_from("RFC 8725 §3.10, CWE-400")
def test_a_flood_of_unknown_kids_costs_a_bounded_number_of_queries(arena: Arena) -> None:
    keyring.signing_key()
    flood = [arena.access.token(arena.access.own, kid=uuid4().hex) for _ in range(300)]
    began = time.monotonic()
    queries = [query for raw_token in flood for query in queries_for(raw_token)]
    seconds = time.monotonic() - began
    assert len(queries) <= ring.REREADS_PER_SECOND * (seconds + 2)


@known_from("OWASP API4, CWE-400")
def test_honest_callers_are_answered_during_a_flood_of_bad_tokens(arena: Arena) -> None:
    hostile = [
        *(arena.access.token(arena.access.own, kid=uuid4().hex) for _ in range(20)),
        *(arena.access.token(arena.access.own, **members) for _, members in HEADERS.values()),
    ]

    def flood(number: int) -> set[int]:
        return {
            arena.client.post("/api/token/refresh/", refresh=hostile[n % len(hostile)]).status
            for n in range(number, number + 60)
        }

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(flood, 15 * number) for number in range(4)]
        for _ in range(20):
            began = time.monotonic()
            assert arena.client.get("/api/me/", bearer=arena.honest.raw_access).status == 200
            assert time.monotonic() - began < PATIENCE
        assert [future.result() for future in running] == [{401}] * 4


def colliding_members(number: int) -> str:
    # Python salts the hashes of strings in each process, so these keys do not collide.
    return json.dumps({f"{n:x}" * 3: n for n in range(number)})


BODIES: dict[str, tuple[str, str, Callable[[], bytes]]] = {
    "JSON nested 200,000 deep": ("CWE-674", "application/json", lambda: b"[" * 200_000),
    "objects nested 100,000 deep": ("CWE-674", "application/json", lambda: b'{"a":' * 100_000),
    "50,000 members": ("CWE-407", "application/json", lambda: colliding_members(50_000).encode()),
    "a number of a million digits": (
        "CVE-2020-10735",
        "application/json",
        lambda: b'{"refresh":' + b"9" * MEGABYTE + b"}",
    ),
    "a number with a huge exponent": (
        "CWE-400",
        "application/json",
        lambda: b'{"refresh":1e99999}',
    ),
    "a token of two megabytes": (
        "CVE-2025-61920",
        "application/json",
        lambda: b'{"refresh":"' + b"a." * MEGABYTE + b'"}',
    ),
    "a body of thirty megabytes": (
        "CWE-770",
        "application/json",
        lambda: b'"' + b"a" * (30 * MEGABYTE),
    ),
    "100,000 form fields": (
        "CVE-2023-24580, CWE-407",
        "application/x-www-form-urlencoded",
        lambda: b"&".join(b"a%d=" % n for n in range(100_000)),
    ),
    "100,000 fields with one name": (
        "CWE-407",
        "application/x-www-form-urlencoded",
        lambda: b"refresh=x&" * 100_000,
    ),
    "a form of 2,000 files": (
        "CVE-2023-24580",
        "multipart/form-data; boundary=b",
        lambda: (
            b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\nx\r\n' * 2000
            + b"--b--\r\n"
        ),
    ),
    "a form that never ends": (
        "CWE-834",
        "multipart/form-data; boundary=b",
        lambda: b"--b\r\n" * 50_000,
    ),
    "spaces against a regular expression": (
        "CWE-1333",
        "application/json",
        lambda: json.dumps({"refresh": " " * 500_000 + "."}).encode(),
    ),
    "dots and dashes against the format gate": (
        "CWE-1333, CVE-2025-30204",
        "application/json",
        lambda: json.dumps({"refresh": "a-" * 4000 + "." + "_" * 4000 + "!"}).encode(),
    ),
}


@pytest.mark.parametrize("path", ["/api/token/refresh/", "/api/token/"])
@pytest.mark.parametrize("name", BODIES)
@known_from("CWE-400", each={name: source for name, (source, _, _) in BODIES.items()})
def test_a_costly_body_is_refused_soon(arena: Arena, name: str, path: str) -> None:
    _, media_type, make = BODIES[name]
    body = make()
    began = time.monotonic()
    answer = arena.client.send("POST", path, ("Content-Type", media_type), body=body)
    assert time.monotonic() - began < PATIENCE
    assert_refusal(answer, name)


@known_from("CWE-409")
def test_a_compressed_body_is_not_decompressed(arena: Arena) -> None:
    encoding = ("Content-Encoding", "gzip")
    body = b"\x1f\x8b\x08\x00" + bytes(1000)
    assert_refusal(arena.client.send("POST", "/api/token/refresh/", encoding, body=body))


@pytest.mark.parametrize("size", [4097, MEGABYTE])
@known_from("CVE-2013-1443")
def test_a_long_password_is_not_hashed(arena: Arena, size: int) -> None:
    began = time.monotonic()
    answer = arena.client.post("/api/token/", username="honest", password="p" * size)
    assert (answer.status, list(answer.json())) == (400, ["password"])
    assert time.monotonic() - began < PATIENCE


@known_from("CVE-2021-45115")
def test_a_long_new_password_is_not_compared(arena: Arena) -> None:
    began = time.monotonic()
    answer = arena.client.post(
        "/api/me/password/",
        bearer=arena.honest.raw_access,
        current_password="x",
        new_password="honest" * 100_000,
    )
    assert answer.status == 400
    assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize(
    "query", ["cursor=" + "A" * 4000, "page_size=1000000000", "limit=1e9", "cursor[]=x"]
)
@known_from("OWASP API4")
def test_no_parameter_makes_a_list_long(arena: Arena, query: str) -> None:
    answer = arena.client.get(f"/api/sessions/?{query}", bearer=arena.honest.raw_access)
    assert answer.status in {200, 404}
    assert answer.is_json
    assert len(answer.body) < 10_000


@known_from("CWE-400, slow requests")
def test_an_unfinished_request_does_not_block_the_next(arena: Arena) -> None:
    head = b"POST /api/token/refresh/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n"
    answers: list[Any] = [
        arena.client.raw(head + b"Content-Type: application/json\r\n\r\n" + piece)
        for piece in (b"", b"{", b'{"refresh":')
    ]
    for answer in answers:
        assert answer.status in {400, 401}

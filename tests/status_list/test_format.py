"""The bits and claims are those of draft-ietf-oauth-status-list; each test names its section."""

import base64
import random
import zlib
from datetime import timedelta
from typing import Any

import jwt
import pytest

from tests.status_list.conftest import BASE, bits_of, claims_of, fetch, read_list, reference
from tokens import keyring, sessions
from tokens.errors import WrongType
from tokens.status_list import lists
from tokens.status_list.lists import LIST_SIZE, Bits

# §4.1: the example of sixteen statuses, from the first one to the last.
SIXTEEN = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
SIXTEEN_COMPRESSED = "eNrbuRgAAhcBXQ"  # §4.2
# Appendix "Test vectors": a list of 2^20 statuses, of which these are 1.
LONG = [
    0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345,
]  # fmt: skip
LONG_COMPRESSED = (
    "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpL"
    "AAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb"
)


def decompressed(lst: str) -> bytes:
    return zlib.decompress(base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4)))


def test_bits_are_packed_from_the_least_significant_one_4_1(monkeypatch: Any) -> None:
    monkeypatch.setattr(lists, "LIST_SIZE", 16)
    bits = Bits()
    for idx, value in enumerate(SIXTEEN):
        if value == lists.INVALID:
            bits.refuse(idx)
    assert decompressed(bits.compressed()) == bytes.fromhex("b9a3")
    assert bits.compressed() == SIXTEEN_COMPRESSED
    assert [bits[idx] for idx in range(16)] == SIXTEEN


def test_a_long_list_is_that_of_the_test_vectors() -> None:
    bits = Bits()
    for idx in LONG:
        bits.refuse(idx)
    assert decompressed(bits.compressed()) == decompressed(LONG_COMPRESSED)
    assert [idx for idx in range(LIST_SIZE) if bits[idx]] == LONG


def test_statuses_can_be_refused_together_and_accepted_again() -> None:
    bits = Bits()
    bits.refuse_all(16, 32)
    assert [idx for idx in range(100) if bits[idx]] == list(range(16, 48))
    bits.accept(17)
    assert [idx for idx in range(100) if bits[idx]] == [16, *range(18, 48)]
    assert len(decompressed(bits.compressed())) == LIST_SIZE // 8


def test_the_list_is_compressed_in_the_zlib_format_at_the_highest_level_4_1(user: Any) -> None:
    sessions.start(user)
    lst = read_list(f"{BASE}0")["status_list"]["lst"]
    assert "=" not in lst
    compressed = base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4))
    assert compressed[:2] == b"\x78\xda"  # RFC 1950 §2.2: a window of 32 K, and level 3 of 3.
    assert compressed == zlib.compress(zlib.decompress(compressed), 9)


def test_the_header_and_the_claims_of_a_list_5_1(user: Any, settings: Any) -> None:
    settings.TOKENS_STATUS_LIST_TTL = timedelta(seconds=43.2)
    raw_access = sessions.start(user).raw_access
    _, uri = reference(raw_access)
    header = jwt.get_unverified_header(fetch(uri).content)
    assert header == {"alg": "ES256", "kid": keyring.signing_key().kid, "typ": "statuslist+jwt"}
    claims = read_list(uri)
    assert claims.keys() == {"sub", "iat", "exp", "ttl", "status_list"}
    assert claims["sub"] == uri
    assert type(claims["iat"]) is type(claims["exp"]) is type(claims["ttl"]) is int
    assert claims["ttl"] == 44
    # A reader that asks again a ttl after it fetched a list that was half a ttl old is in time.
    assert claims["exp"] == claims["iat"] + 87
    assert claims["status_list"].keys() == {"bits", "lst", "aggregation_uri"}  # §4.2
    assert claims["status_list"]["bits"] == 1
    assert claims["status_list"]["aggregation_uri"] == BASE  # §9.2


def test_an_access_token_names_its_list_6_2(user: Any) -> None:
    pair = sessions.start(user)
    assert claims_of(pair.raw_access)["status"].keys() == {"status_list"}
    assert claims_of(pair.raw_access)["status"]["status_list"].keys() == {"idx", "uri"}
    idx, uri = reference(pair.raw_access)
    assert type(idx) is int
    assert 0 <= idx < LIST_SIZE
    assert uri == f"{BASE}0"
    assert "status" not in claims_of(pair.raw_refresh)
    alone = sessions.issue_access_token(user)
    assert reference(alone.raw_access) != reference(pair.raw_access)


def test_a_claim_of_the_project_does_not_replace_the_status(user: Any) -> None:
    pair = sessions.start(user, claims={"status": "gold"})
    assert reference(pair.raw_access)


def test_every_list_has_the_same_size_and_unused_indices_are_valid_13_3(user: Any) -> None:
    sessions.start(user)
    bits = bits_of(read_list(f"{BASE}0"))
    assert bits == bytes(2**20 // 8)  # §13.4: divisible by eight


def test_a_list_does_not_pass_for_an_access_token(user: Any) -> None:
    _, uri = reference(sessions.start(user).raw_access)
    with pytest.raises(WrongType):
        sessions.authenticate(_shortened(fetch(uri).content.decode()))


def _shortened(raw_list: str) -> str:
    """Return the token, which a small list leaves within the length of an access token."""
    assert len(raw_list) < 8192
    return raw_list


def test_random_bits_are_read_as_they_were_set() -> None:
    numbers = random.Random(1)
    refused = set(numbers.sample(range(LIST_SIZE), 4400))
    bits = Bits()
    for idx in refused:
        bits.refuse(idx)
    read = decompressed(bits.compressed())
    assert {idx for idx in range(LIST_SIZE) if read[idx // 8] >> idx % 8 & 1} == refused

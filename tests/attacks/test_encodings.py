"""Encodings: a token in a form that another parser might accept, and malformed bodies."""

from collections.abc import Callable

import pytest

from tests.support.hostile import SPELLINGS

from .arena import Arena, Attack, assert_refusal, known_from

pytestmark = pytest.mark.usefixtures("nothing_changes")


def spelled(spell: Callable[[str], str]) -> Callable[[Arena], str]:
    return lambda arena: spell(arena.access.raw)


ATTACKS = [Attack(name, source, spelled(spell)) for name, (source, spell) in SPELLINGS.items()]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_another_spelling_is_refused(arena: Arena, attack: Attack) -> None:
    arena.assert_refused_everywhere(attack.forge(arena))


BODIES: dict[str, bytes] = {
    "in UTF-16": '{"refresh": "x"}'.encode("utf-16"),
    "in UTF-32": '{"refresh": "x"}'.encode("utf-32"),
    "after a byte order mark": b'\xef\xbb\xbf{"refresh": "x"}',
    "not in UTF-8": b'{"refresh": "\xff"}',
    "with a lone surrogate": b'{"refresh": "\\ud800"}',
    "with a NUL": b'{"refresh": "a\\u0000b"}',
    "with a raw line break": b'{"refresh": "a\nb"}',
    "with NaN": b'{"refresh": NaN}',
    "with a number of 5,000 digits": b'{"refresh": ' + b"9" * 5000 + b"}",
    "nested 100,000 deep": b'{"refresh": ' + b"[" * 100_000,
    "a list": b'[{"refresh": "x"}]',
    "unfinished": b'{"refresh": "x"',
    "with trailing data": b'{"refresh": "x"}{"refresh": "y"}',
    "with comments": b'{/**/"refresh": "x"}',
    "with single quotes": b"{'refresh': 'x'}",
    "empty": b"",
    "a form labelled as JSON": b"refresh=x",
}


@pytest.mark.parametrize("name", BODIES)
@known_from("RFC 8259 §8, CVE-2020-10735", each=dict.fromkeys(BODIES, ""))
def test_a_body_of_malformed_json_is_refused(arena: Arena, name: str) -> None:
    assert_refusal(arena.client.send("POST", "/api/token/refresh/", body=BODIES[name]), name)


MEDIA_TYPES = (
    "text/plain",
    "text/html",
    "application/xml",
    "application/x-yaml",
    "application/json; charset=nonsense",
    "application/json; charset=utf-7",
    "multipart/form-data",
    "multipart/form-data; boundary=" + "b" * 80,
    "application/x-www-form-urlencoded; charset=utf-16",
    "*/*",
    "nonsense",
)


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
@known_from("CWE-436")
def test_a_body_of_an_unexpected_type_is_refused(arena: Arena, media_type: str) -> None:
    raw = arena.honest.raw_refresh.encode()
    for body in (b"\x80", b'{"refresh": "' + raw + b'"'):
        headers = [("Content-Type", media_type)]
        answer = arena.client.send("POST", "/api/token/refresh/", *headers, body=body)
        assert_refusal(answer, media_type, more=frozenset({415}))


@known_from("RFC 8259 §4, CWE-235")
def test_the_last_of_two_members_with_one_name_counts(arena: Arena) -> None:
    """Other JSON parsers do the same, so they read the same token. The last one is bad here."""
    body = b'{"refresh": "' + arena.honest.raw_refresh.encode() + b'", "refresh": "x"}'
    assert_refusal(arena.client.send("POST", "/api/token/refresh/", body=body))

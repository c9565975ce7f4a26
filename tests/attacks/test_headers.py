"""Members of the JOSE header: wrong ones under a valid signature, and keys of a forger's."""

import json
import socket
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.support.forging import compact, part, sign
from tests.support.hostile import HEADERS
from tokens.jose import Key, load_key, to_jwk
from tokens.keyring import jwk

from .arena import Arena, Attack, known_from

pytestmark = pytest.mark.usefixtures("nothing_changes")

FORGER = load_key(jwk.make("ES256"))
FORGER_OCT = Key("forger", "HS256", b"0123456789abcdef0123456789abcdef")
PUBLIC = jwk.public(to_jwk(FORGER.material, "ES256") | {"kid": "forger", "alg": "ES256"})
SYMMETRIC = {"kty": "oct", "kid": "forger", "alg": "HS256", "k": part(FORGER_OCT.material).decode()}
SERVER_SIDE_REQUEST = "http://127.0.0.1:9/jwks.json"


def with_members(members: dict[str, Any]) -> Callable[[Arena], str]:
    return lambda arena: arena.access.token(arena.access.own, **members)


def by_forger(kid: str | None, members: dict[str, Any], key: Key = FORGER) -> Callable[..., str]:
    def forge(arena: Arena) -> str:
        header = {"alg": key.algorithm, "kid": kid or arena.kids[key.algorithm], **members}
        return arena.access.token(partial(sign, key), **header)

    return forge


def as_jwe(arena: Arena) -> str:
    header = {**arena.access.header, "alg": "dir", "enc": "A256GCM", "zip": "DEF"}
    return ".".join(part(member).decode() for member in (header, b"", b"iv" * 6, b"x", b"t" * 16))


def slow_jwe(arena: Arena) -> str:
    header = {**arena.access.header, "alg": "PBES2-HS256+A128KW", "enc": "A128GCM"}
    header |= {"p2c": 2**31 - 1, "p2s": "c2FsdA"}
    return ".".join(part(member).decode() for member in (header, b"key", b"iv", b"x", b"tag"))


def twice(name: str, value: Any) -> Callable[[Arena], str]:
    """Return a function that makes a token whose header has the member twice."""

    def forge(arena: Arena) -> str:
        header = json.dumps(arena.access.header)[:-1] + f", {json.dumps({name: value})[1:]}"
        return compact(header.encode(), arena.access.payload, arena.access.own)

    return forge


ATTACKS = [
    *(
        Attack(f"valid signature, {name}", source, with_members(members))
        for name, (source, members) in HEADERS.items()
    ),
    *(
        Attack(
            f"{name} of the forger's, kid {kid or 'of the ring'}",
            source,
            by_forger(kid, members, key),
        )
        for kid in (None, "forger")
        for name, source, members, key in (
            ("jwk", "RFC 8725 §3.10, CVE-2018-0114", {"jwk": PUBLIC}, FORGER),
            ("symmetric jwk", "CVE-2018-0114", {"jwk": SYMMETRIC}, FORGER_OCT),
            ("jku", "RFC 8725 §3.10, PortSwigger JWT lab", {"jku": SERVER_SIDE_REQUEST}, FORGER),
            ("jku a file", "GHSA-993g-76c3-p5m4", {"jku": "file:///etc/hostname"}, FORGER),
            ("x5u", "RFC 8725 §3.10, HackTricks", {"x5u": SERVER_SIDE_REQUEST}, FORGER),
            ("x5c", "RFC 8725 §3.10, jwt_tool playbook", {"x5c": ["MIIB"]}, FORGER),
            ("x5t", "RFC 7515 §4.1.7", {"x5t": "forger", "x5t#S256": "forger"}, FORGER),
        )
    ),
    Attack(
        "kid the thumbprint of a public key",
        "RFC 7638 §7",
        by_forger("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", {"jwk": PUBLIC}),
    ),
    Attack("a JWE with direct encryption", "RFC 8725 §2.3, CVE-2023-51774", as_jwe),
    Attack("a JWE that requires 2^31 hashes", "rfc8725bis §2.10, CVE-2023-50967", slow_jwe),
    Attack(
        "cty JWT over another token",
        "RFC 7519 §5.2",
        lambda arena: compact(
            {**arena.access.header, "cty": "JWT"}, arena.access.raw.encode(), arena.access.own
        ),
    ),
    Attack(
        "zip over compressed claims",
        "rfc8725bis §2.12, CVE-2025-62706",
        lambda arena: compact(
            {**arena.access.header, "zip": "DEF"},
            zlib.compress(arena.access.payload),
            arena.access.own,
        ),
    ),
    Attack("alg twice", "RFC 7515 §4, RFC 8725 §2.6", twice("alg", "none")),
    Attack("kid twice", "RFC 7515 §4", twice("kid", "unknown")),
    Attack("typ twice", "RFC 7515 §4", twice("typ", "rt+jwt")),
    Attack("a thousand members", "RFC 8725 §3.11", with_members({f"m{n}": n for n in range(1000)})),
    Attack(
        "a __proto__ member and no kid",
        "CWE-1321",
        lambda arena: compact(
            {"alg": "HS256", "typ": "at+jwt", "__proto__": {"kid": arena.access.key.kid}},
            arena.access.payload,
            arena.access.own,
        ),
    ),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_a_hostile_header_is_refused(arena: Arena, attack: Attack) -> None:
    arena.assert_refused_everywhere(attack.forge(arena))


@pytest.mark.parametrize("member", ["jku", "x5u", "kid"])
@known_from("RFC 8725 §2.9, PortSwigger SSRF")
def test_no_address_in_a_header_is_asked(arena: Arena, member: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.setblocking(False)
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/jwks.json"
        arena.assert_refused_everywhere(by_forger(None, {member: address})(arena))
        with pytest.raises(BlockingIOError):
            trap.accept()

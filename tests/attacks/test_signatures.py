"""Signatures and algorithms: forgeries without the key."""

import hashlib
import hmac
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.support.forging import P256_ORDER, every_spelling_of, raw, sign
from tokens import keyring
from tokens.jose import load_key, to_jwk
from tokens.keyring import jwk

from .arena import Arena, Attack

pytestmark = pytest.mark.usefixtures("nothing_changes")

ASYMMETRIC = [name for name in keyring.ALGORITHMS if not name.startswith("HS")]
# PEM and DER of both kinds, points and OpenSSH, with and without the final newline.
PUBLIC_KEY_SPELLINGS = {"RS256": 10, "PS256": 10, "ES256": 10, "EdDSA": 7}
SECRETS = {
    "empty": b"",
    "one NUL": b"\x00",
    "secret": b"secret",
    "your-256-bit-secret": b"your-256-bit-secret",
    "the SECRET_KEY of the settings": b"a-secret-key-for-tests-that-is-long-enough-0123456789",
    "the TOKEN_SECRET": b"a-token-secret-for-tests-that-is-long-enough-0123456789",
}


def hmac_of(secret: bytes, digest: Any = hashlib.sha256) -> Callable[[bytes], bytes]:
    return lambda data: hmac.digest(secret, data, digest)


def with_alg(alg: Any, *, of: str = "HS256", signature: Any = b"") -> Callable[[Arena], str]:
    return lambda arena: arena.of(of).token(signature, alg=alg)


def own_signature(alg: Any, *, of: str) -> Callable[[Arena], str]:
    def forge(arena: Arena) -> str:
        target = arena.of(of)
        return target.token(target.own, alg=alg)

    return forge


def bent(change: Callable[[bytes], bytes], *, of: str) -> Callable[[Arena], str]:
    def forge(arena: Arena) -> str:
        target = arena.of(of)
        return target.token(change(target.signature))

    return forge


def guessed(secret: bytes) -> Callable[[Arena], str]:
    return lambda arena: arena.access.token(hmac_of(secret))


def of_numbers(r: int, s: int) -> Callable[[Arena], str]:
    return lambda arena: arena.of("ES256").token(raw(r, s))


def public_key_as_secret(number: int, *, of: str, digest: str) -> Callable[[Arena], str]:
    def forge(arena: Arena) -> str:
        target = arena.of(of)
        spelled = list(every_spelling_of(target.key.public))[number]
        return target.token(hmac_of(spelled, digest), alg="HS" + digest[3:])

    return forge


def jwk_as_secret(*, of: str) -> Callable[[Arena], str]:
    def forge(arena: Arena) -> str:
        target = arena.of(of)
        members = to_jwk(target.key.material, of) | {"kid": target.key.kid, "alg": of}
        return target.token(hmac_of(json.dumps(jwk.public(members)).encode()), alg="HS256")

    return forge


def another_key(*, of: str, kid: str | None = None) -> Callable[[Arena], str]:
    def forge(arena: Arena) -> str:
        forger = load_key(jwk.make(of))
        return arena.of(of).token(partial(sign, forger), kid=kid or arena.kids[of])

    return forge


ATTACKS = [
    *(
        Attack(f"alg {alg!r}, no signature", source, with_alg(alg))
        for alg, source in {
            "none": "RFC 8725 §2.1, CVE-2015-9235, CVE-2018-1000531, CVE-2022-23540",
            "None": "rfc8725bis §2.11",
            "NONE": "rfc8725bis §2.11",
            "nOnE": "rfc8725bis §2.11",
            "none ": "jwt_tool playbook",
            "": "jwt_tool playbook",
        }.items()
    ),
    Attack("alg none, with some signature", "RFC 8725 §2.1", with_alg("none", signature=b"x")),
    Attack("alg none over an RS256 key", "RFC 8725 §2.1", with_alg("none", of="RS256")),
    *(
        Attack(f"alg is {alg!r}", "rfc8725bis §3.1", own_signature(alg, of="HS256"))
        for alg in (None, True, 256, ["HS256"], {"alg": "HS256"}, "hs256", "HS256\x00", "HMAC")
    ),
    *(
        Attack(
            f"{other} in the header over a valid {algorithm} signature",
            "RFC 8725 §3.1, GHSA-jq35-7prp-9v3f",
            own_signature(other, of=algorithm),
        )
        for algorithm, other in {
            "HS256": "HS512",
            "HS384": "HS256",
            "HS512": "HS384",
            "RS256": "PS256",
            "PS256": "RS256",
            "ES256": "ES256K",
            "EdDSA": "Ed25519",
        }.items()
    ),
    *(
        Attack(
            f"the public {algorithm} key as an HMAC-{digest} secret, spelling {number}",
            source,
            public_key_as_secret(number, of=algorithm, digest=digest),
        )
        for algorithm, spellings in PUBLIC_KEY_SPELLINGS.items()
        for number in range(spellings)
        for source, digest in (
            ("CVE-2015-9235, CVE-2022-29217, CVE-2023-48223, CVE-2024-33663", "sha256"),
            ("CVE-2016-10555, CVE-2017-11424, CVE-2024-37568", "sha512"),
        )
        if digest == "sha256" or number == 0
    ),
    *(
        Attack(
            f"the public {algorithm} JWK as an HMAC secret",
            "CVE-2026-48526",
            jwk_as_secret(of=algorithm),
        )
        for algorithm in ASYMMETRIC
    ),
    *(
        Attack(
            f"signed with the guessed secret: {name}",
            "RFC 8725 §2.2, CVE-2019-20933, OWASP WSTG-SESS-10",
            guessed(secret),
        )
        for name, secret in SECRETS.items()
    ),
    *(
        Attack(f"{algorithm} by a key of the forger's", "RFC 8725 §3.10", another_key(of=algorithm))
        for algorithm in keyring.ALGORITHMS
    ),
    *(
        Attack(f"{algorithm}, {how}", source, bent(change, of=algorithm))
        for algorithm in ("HS256", "RS256", "ES256", "EdDSA")
        for how, source, change in (
            ("an empty signature", "CVE-2020-28042", lambda signature: b""),
            ("a signature of zeros", "CVE-2022-21449", lambda signature: bytes(len(signature))),
            (
                "half a signature",
                "RFC 8725 §3.3",
                lambda signature: signature[: len(signature) // 2],
            ),
            ("one bit flipped", "RFC 8725 §3.3", lambda s: bytes([s[0] ^ 1]) + s[1:]),
            ("a NUL at the end", "RFC 8725 §3.3", lambda signature: signature + b"\x00"),
        )
    ),
    *(
        Attack(
            f"ES256 with r={r % 1000} and s={s % 1000}",
            "CVE-2022-21449, Wycheproof",
            of_numbers(r, s),
        )
        for r, s in ((0, 1), (1, 0), (1, 1), (P256_ORDER, P256_ORDER), (P256_ORDER - 1, 1))
    ),
    Attack(
        "the sub of another user under the bytes of a valid signature",
        "RFC 8725 §3.3",
        lambda arena: arena.access.claiming(
            arena.access.signature, sub=str(arena.other.session.user_id)
        ),
    ),
    Attack(
        "a later exp under the bytes of a valid signature",
        "RFC 8725 §3.3",
        lambda arena: arena.access.claiming(arena.access.signature, exp=4102444800),
    ),
]


@pytest.mark.parametrize("algorithm", keyring.ALGORITHMS)
def test_the_same_way_of_forging_with_the_real_key_is_accepted(
    arena: Arena, algorithm: str
) -> None:
    """Otherwise a mistake in the forging would make every attack look refused."""
    target = arena.of(algorithm)
    assert arena.client.get("/api/me/", bearer=target.token(target.own)).status == 200


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_a_forged_signature_is_refused(arena: Arena, attack: Attack) -> None:
    arena.assert_refused_everywhere(attack.forge(arena))


def test_a_refusal_does_not_reveal_the_valid_signature(arena: Arena) -> None:
    """CVE-2019-7644: an error message that contains the expected signature."""
    forged = arena.access.claiming(b"forged", sub="somebody")
    for door, answer in arena.doors(forged):
        assert b"expected" not in answer.body, door
        assert arena.access.key.kid.encode() not in answer.body, door

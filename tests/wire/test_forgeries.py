"""
Forged signatures, each against a key of each algorithm, in the manner of Wycheproof's vectors.

The claims are those of a live session, so that nothing but the signature refuses them.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.support.forging import ED25519_ORDER, P256_ORDER, Target, every_spelling_of, raw, sign
from tokens import keyring, sessions
from tokens.errors import Denied, TokenError
from tokens.jose import load_key, to_jwk
from tokens.keyring import jwk
from tokens.models import SigningKey

ASYMMETRIC = [name for name in keyring.ALGORITHMS if not name.startswith("HS")]

pytestmark = pytest.mark.django_db

Aim = Callable[[str], Target]


@pytest.fixture
def aim(user: Any) -> Aim:
    """Return a function that makes targets under a fresh key of an algorithm."""

    def at(algorithm: str) -> Target:
        SigningKey.objects.filter(retired_at__isnull=False).update(
            retired_at=datetime.now(UTC) - timedelta(hours=1)
        )
        keyring.rotate(keyring.plan_rotation(algorithm=algorithm))
        return Target(sessions.start(user).raw_access, keyring.signing_key())

    return at


def assert_refused(raw_token: str) -> None:
    # An empty signature does not even pass the format gate, so any refusal will do.
    with pytest.raises(TokenError):
        sessions.authenticate(raw_token)


@pytest.mark.parametrize("algorithm", keyring.ALGORITHMS)
def test_a_signature_that_was_cut_stretched_or_bent(aim: Aim, algorithm: str) -> None:
    target = aim(algorithm)
    signature = target.signature
    sessions.authenticate(target.token(target.own))
    for forged in (
        b"",
        signature[:-1],
        signature[1:],
        signature[: len(signature) // 2],
        signature + b"\x00",
        b"\x00" + signature,
        signature + signature,
        bytes(len(signature)),
        b"\xff" * len(signature),
        bytes([signature[0] ^ 1]) + signature[1:],
        signature[:-1] + bytes([signature[-1] ^ 1]),
    ):
        assert_refused(target.token(forged))


@pytest.mark.parametrize("algorithm", keyring.ALGORITHMS)
def test_no_other_algorithm_in_the_header_is_obeyed(aim: Aim, algorithm: str) -> None:
    target = aim(algorithm)
    others = {*keyring.ALGORITHMS, "none", "None", "nOnE", "", "RS512", "ES384", "ES256K", "HS1"}
    for other in sorted(others - {algorithm}):
        # Signed by the real key, but with an ``alg`` that the key is not bound to (RFC 8725 §3.1).
        assert_refused(target.token(target.own, alg=other))
        assert_refused(target.token(b"", alg=other))
        assert_refused(target.token(b"\x00", alg=other))
    assert_refused(target.token(target.own, alg=algorithm.lower()))
    assert_refused(target.token(target.own, alg=[algorithm]))
    assert_refused(target.token(target.own, alg=None))


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_an_hmac_with_the_public_key_in_each_of_its_encodings(aim: Aim, algorithm: str) -> None:
    target = aim(algorithm)
    private_jwk = to_jwk(target.key.material, algorithm)
    public_jwk = jwk.public({**private_jwk, "kid": target.key.kid, "alg": algorithm})
    secrets = [*every_spelling_of(target.key.public), json.dumps(public_jwk).encode(), b""]
    for claimed, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
        for secret in secrets:
            for alg in (claimed, algorithm):
                forged = target.token(partial(hmac.digest, secret, digest=digest), alg=alg)
                assert_refused(forged)


@pytest.mark.parametrize(
    ("r", "s"),
    [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
        (P256_ORDER, P256_ORDER),
        (P256_ORDER, 1),
        (1, P256_ORDER),
        (P256_ORDER - 1, P256_ORDER - 1),
        (P256_ORDER + 1, 1),
        (2**256 - 1, 2**256 - 1),
    ],
)
def test_ecdsa_with_degenerate_numbers(aim: Aim, r: int, s: int) -> None:
    # r = s = 0 was CVE-2022-21449.
    assert_refused(aim("ES256").token(raw(r, s)))


def test_ecdsa_in_another_encoding_or_on_another_curve(aim: Aim) -> None:
    target = aim("ES256")
    private = target.key.material
    der = private.sign(target.signing_input(), ec.ECDSA(hashes.SHA256()))
    assert_refused(target.token(der))
    wide = raw(*decode_dss_signature(der), size=48)
    assert_refused(target.token(wide))
    for curve, size, alg in ((ec.SECP384R1(), 48, "ES384"), (ec.SECP256K1(), 32, "ES256K")):
        other = ec.generate_private_key(curve)
        for claimed in (alg, "ES256"):
            data = target.signing_input(alg=claimed)
            numbers = decode_dss_signature(other.sign(data, ec.ECDSA(hashes.SHA256())))
            assert_refused(target.token(raw(*numbers, size=size), alg=claimed))


def test_ecdsas_second_spelling_of_a_signature_is_denied_with_the_first(aim: Aim) -> None:
    target = aim("ES256")
    r, s = int.from_bytes(target.signature[:32]), int.from_bytes(target.signature[32:])
    twin = target.token(raw(r, P256_ORDER - s))
    sessions.authenticate(twin)
    sessions.revoke(twin)
    for spelling in (twin, target.raw):
        with pytest.raises(Denied):
            sessions.authenticate(spelling)


def test_eddsa_with_a_number_beyond_the_order(aim: Aim) -> None:
    # RFC 8032 §5.1.7: S is refused from L on, or each signature would have a second encoding.
    target = aim("EdDSA")
    point, number = target.signature[:32], int.from_bytes(target.signature[32:], "little")
    assert_refused(target.token(point + (number + ED25519_ORDER).to_bytes(32, "little")))
    # Points of small order, under which some libraries verify anything.
    for small in (bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"):
        assert_refused(target.token(small + bytes(32)))


@pytest.mark.parametrize(("algorithm", "other"), [("RS256", "PS256"), ("PS256", "RS256")])
def test_rsa_with_the_other_padding_or_another_hash(aim: Aim, algorithm: str, other: str) -> None:
    target = aim(algorithm)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    v15 = padding.PKCS1v15()
    theirs: Any = pss if algorithm == "RS256" else v15
    private = target.key.material
    for alg in (algorithm, other):
        data = target.signing_input(alg=alg)
        assert_refused(target.token(private.sign(data, theirs, hashes.SHA256()), alg=alg))
    ours: Any = v15 if algorithm == "RS256" else pss
    for hash_ in (hashes.SHA1(), hashes.SHA512()):  # a forger may try these
        assert_refused(target.token(private.sign(target.signing_input(), ours, hash_)))


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_a_key_that_the_token_brings_along_is_ignored(aim: Aim, algorithm: str) -> None:
    # CVE-2018-0114: RFC 8725 §3.10 trusts neither jwk nor jku, x5u or x5c.
    target = aim(algorithm)
    forger = load_key(jwk.make(algorithm))
    for brought in (
        {"jwk": jwk.public(to_jwk(forger.material, algorithm) | {"kid": "x", "alg": algorithm})},
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["MIIB"]},
    ):
        for kid in (target.key.kid, forger.kid):
            assert_refused(target.token(partial(sign, forger), kid=kid, **brought))

"""Keys as JSON Web Keys: their strength, their thumbprints and their public parts."""

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config import settings as project
from tokens.jose import load_key
from tokens.keyring import ALGORITHMS, jwk

# RFC 7638 §3.1
RSA_EXAMPLE = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
# RFC 8037 A.3
ED25519_EXAMPLE = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
ASYMMETRIC = [name for name in ALGORITHMS if not name.startswith("HS")]


def test_the_settings_offer_exactly_the_algorithms_of_the_ring(settings: Any) -> None:
    offered = {"HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA"}
    assert set(ALGORITHMS) == offered
    for name in offered:
        assert project.env.choice("UNSET", name, ALGORITHMS) == name


@pytest.mark.parametrize(
    ("example", "thumbprint"),
    [
        (RSA_EXAMPLE, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (ED25519_EXAMPLE, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ],
)
def test_a_public_key_is_named_by_its_thumbprint(example: dict[str, str], thumbprint: str) -> None:
    assert jwk.thumbprint(example) == thumbprint


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_a_made_key_has_its_thumbprint_as_kid(algorithm: str) -> None:
    private = jwk.make(algorithm)
    assert private["kid"] == jwk.thumbprint(private)
    assert private["alg"] == algorithm


def test_an_hmac_kid_says_nothing_of_the_secret() -> None:
    private = jwk.make("HS256")
    assert jwk.make("HS256")["kid"] != private["kid"]
    for digest in (hashlib.sha256(private["k"].encode()), hashlib.sha256(str(private).encode())):
        assert digest.hexdigest()[:12] not in private["kid"]
    assert jwk.public(private) is None


@pytest.mark.parametrize(("algorithm", "length"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_an_hmac_key_is_as_long_as_its_hash(algorithm: str, length: int) -> None:
    assert len(load_key(jwk.make(algorithm)).material) == length


def test_asymmetric_keys_have_the_strength_of_128_bits() -> None:
    for algorithm in ("RS256", "PS256"):
        assert load_key(jwk.make(algorithm)).material.key_size == 3072
    assert isinstance(load_key(jwk.make("ES256")).material.curve, SECP256R1)
    assert isinstance(load_key(jwk.make("EdDSA")).material, Ed25519PrivateKey)


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_the_public_part_has_no_private_member(algorithm: str) -> None:
    private = jwk.make(algorithm)
    public = jwk.public(private)
    assert public is not None
    assert set(public) <= {"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"}
    assert public["use"] == "sig"
    secrets = {private[name] for name in ("d", "p", "q", "dp", "dq", "qi") if name in private}
    assert secrets
    assert not secrets & set(public.values())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_refresh_tokens_have_a_secret_that_the_published_key_does_not_tell(algorithm: str) -> None:
    private = jwk.make(algorithm)
    derived = jwk.for_refresh_tokens(private)
    assert (derived["kid"], derived["alg"], derived["kty"]) == (private["kid"], "HS256", "oct")
    assert len(load_key(derived).material) == 32
    assert jwk.public(derived) is None
    # Two keys with the same public members, if that were possible, would have other secrets.
    member = "k" if private["kty"] == "oct" else "d"
    other = jwk.make(algorithm)[member]
    assert jwk.for_refresh_tokens({**private, member: other})["k"] != derived["k"]
    assert jwk.for_refresh_tokens({**private, "kid": "another"})["k"] != derived["k"]


def test_the_secret_of_refresh_tokens_is_the_same_in_every_version() -> None:
    """Another derivation would sign every user out."""
    private = {"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8", "kid": "a1"}
    assert jwk.for_refresh_tokens(private)["k"] == "7x4MnrbDx34QcwKbs3pGYWdqlpGDMc_LaI6BOiyK1h0"

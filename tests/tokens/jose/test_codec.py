"""Tokens are encoded and decoded without a database."""

import json
from datetime import timedelta
from string import ascii_letters, digits
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import assume, example, given
from hypothesis import strategies as st
from jwt import InvalidTokenError, get_algorithm_by_name
from jwt.api_jws import PyJWS
from jwt.utils import base64url_decode, base64url_encode

from tests.tokens.jose.reading import KEY, NOW, claims, read
from tokens.errors import (
    BadSignature,
    KeyRingError,
    Malformed,
    TokenError,
    UnknownKey,
    WrongClaims,
    WrongType,
)
from tokens.jose import MAX_TOKEN_LENGTH, Key, TokenType, encode, load_key
from tokens.keyring import ALGORITHMS, jwk
from tokens.secret import Secret


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
@example("eyJhbGciOiJub25lIn0.e30.e30")
@example("a.b.c")
def test_anything_else_is_a_token_error_and_nothing_worse(raw_token: str) -> None:
    with pytest.raises(TokenError):
        read(raw_token)


def test_the_length_gate_comes_before_any_parsing() -> None:
    asked = []

    def spy(kid: str, type: TokenType) -> Key:
        asked.append(kid)
        return KEY

    padding = MAX_TOKEN_LENGTH - len(encode(claims(), key=KEY))
    with pytest.raises(Malformed):
        read(encode(claims(extra={"x": "x" * padding}), key=KEY), find_key=spy)
    assert not asked
    read(encode(claims(extra={"x": "x" * (padding // 2)}), key=KEY), find_key=spy)
    assert asked == ["k1"]


def test_each_refusal_has_its_own_error() -> None:
    raw = encode(claims(), key=KEY)
    other = Key("k1", "HS256", b"f" * 32)
    with pytest.raises(BadSignature):
        read(raw, find_key=lambda *named: other)
    with pytest.raises(BadSignature):
        read(raw, find_key=lambda *named: Key("k1", "HS512", KEY.material * 2))
    with pytest.raises(UnknownKey):
        read(encode(claims(), key=Key("k2", "HS256", KEY.material)))
    with pytest.raises(WrongType):
        read(raw, type=TokenType.REFRESH)
    with pytest.raises(WrongClaims):
        read(raw, issuer="others")
    with pytest.raises(WrongClaims):
        read(raw, audience="others")
    with pytest.raises(WrongClaims):
        read(raw, now=NOW - timedelta(seconds=1))


def test_a_key_that_is_too_short_for_its_hash_signs_nothing_we_accept() -> None:
    """RFC 7518 §3.2; the library alone would only warn."""
    short = Key("k1", "HS256", b"short")
    raw = encode(claims(), key=KEY)
    with pytest.raises(KeyRingError, match="unfit"):
        read(raw, find_key=lambda *named: short)
    with pytest.raises(KeyRingError, match="unfit"):
        encode(claims(), key=short)


def test_a_public_key_is_no_secret_to_sign_with() -> None:
    """RFC 8725 §2.1: otherwise anyone with the public key could sign."""
    public = Ed25519PrivateKey.generate().public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(KeyRingError, match="unfit"):
        encode(claims(), key=Key("k1", "HS256", pem))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_library_reads_what_is_written_here(algorithm: str) -> None:
    key = load_key(jwk.make(algorithm))
    written = claims(kid=key.kid, extra={"name": "Zoë", "plan": None})
    read_back = PyJWS().decode_complete(
        encode(written, key=key), key.public or key.material, algorithms=[algorithm]
    )
    assert json.loads(read_back["payload"]) == written.as_json()
    assert read_back["header"] == {"alg": algorithm, "kid": key.kid, "typ": "at+jwt"}


def test_a_key_never_shows_in_its_repr() -> None:
    assert "material" not in repr(KEY)
    assert "0123456789abcdef" not in repr(KEY)


def test_the_key_of_rfc_7515_appendix_a_1_is_read_from_its_jwk() -> None:
    key = load_key(
        {
            "kty": "oct",
            "kid": "a1",
            "alg": "HS256",
            "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
            "aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        }
    )
    assert key.material[:4] == bytes([3, 35, 53, 75])
    vector = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    from tokens.jose.codec import _split, _verify_signature

    _verify_signature(_split(Secret(vector)), key)
    with pytest.raises(BadSignature):
        _verify_signature(_split(Secret(vector[:-2] + "jk")), key)


@given(st.integers(0, 400), st.sampled_from("AQgw_-09.=") | st.characters(codec="utf-8"))
def test_a_changed_token_is_refused_exactly_when_the_library_refuses_it(
    place: int, character: str
) -> None:
    raw_token = encode(claims(), key=KEY)
    changed = raw_token[:place] + character + raw_token[place + 1 :]
    assume(place < len(raw_token))
    try:
        PyJWS().decode(changed, KEY.material, algorithms=["HS256"])
        good = True
    except InvalidTokenError:
        good = False
    if good:
        read(changed)
    else:
        with pytest.raises(TokenError):
            read(changed)


@pytest.mark.parametrize("alg", ["none", "HS512", "hs256", "", None, ["HS256"]])
def test_a_header_of_another_algorithm_is_refused_regardless_of_the_signature(alg: Any) -> None:
    header = {"typ": "at+jwt", "kid": KEY.kid, "alg": alg}
    part = base64url_encode(json.dumps(header).encode()).decode()
    payload = encode(claims(), key=KEY).split(".")[1]
    signed = f"{part}.{payload}".encode()
    signature = get_algorithm_by_name("HS256").sign(signed, KEY.material)
    with pytest.raises(BadSignature):
        read(f"{part}.{payload}.{base64url_encode(signature).decode()}")


def test_another_spelling_of_the_same_bytes_is_refused() -> None:
    raw_token = encode(claims(), key=KEY)
    signature = base64url_decode(raw_token.rpartition(".")[2])
    spellings = [raw_token[:-1] + character for character in ascii_letters + digits + "-_"]
    same = [raw for raw in spellings if base64url_decode(raw.rpartition(".")[2]) == signature]
    assert len(same) == 4
    for spelling in same:
        if spelling != raw_token:
            with pytest.raises(Malformed):
                read(spelling)


@pytest.mark.parametrize("typ", ["at+jwt", "JWT", None, 7, ["rt+jwt"]])
def test_only_a_refresh_token_is_verified_by_the_key_of_refresh_tokens(typ: Any) -> None:
    asked = []

    def find_key(kid: str, type: TokenType) -> Key:
        asked.append(type)
        raise UnknownKey(kid)

    for header in ({"typ": typ}, {"typ": "rt+jwt"}):
        part = base64url_encode(json.dumps({"kid": "k1", "alg": "HS256"} | header).encode())
        with pytest.raises(UnknownKey):
            read(f"{part.decode()}.e30.e30", find_key=find_key)
    assert asked == [TokenType.ACCESS, TokenType.REFRESH]

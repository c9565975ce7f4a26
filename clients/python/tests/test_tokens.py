"""Which tokens are good, while the news is. Time is handed in."""

import hmac
import json
import zlib
from base64 import urlsafe_b64encode
from http.client import HTTPException
from typing import Any

import jwt
import pytest
from latchkey_verify import InvalidToken, NoToken, Unavailable
from latchkey_verify.verifier import credential_of

from .authority import Authority, Key
from .conftest import Clock, Reader


@pytest.fixture(autouse=True)
def news(reader: Reader, authority: Authority) -> None:
    reader.accept(authority.document())


def test_a_good_token_tells_whose_it_is(reader: Reader, authority: Authority) -> None:
    token = reader.verifier.verify(authority.token(role="editor"))
    assert (token.sub, token.sid, token.jti) == ("ada", "session-1", "token-1")
    assert token.claims["role"] == "editor"
    assert authority.token() not in repr(token)
    with pytest.raises(TypeError):
        token.claims["sub"] = "eve"  # type: ignore[index]


@pytest.mark.parametrize("name", ["issuer", "audience"])
def test_without_an_issuer_or_an_audience_no_token_is_good(
    name: str, reader: Reader, authority: Authority
) -> None:
    setattr(reader.verifier, name, None)  # For example from a variable that is not set.
    with pytest.raises(InvalidToken):
        reader.verifier.verify(authority.token())


def with_header(token: str, **changes: Any) -> str:
    """Return the token with another header, which its signature does not cover."""
    header = {**jwt.get_unverified_header(token), **changes}
    text = urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{text}.{token.partition('.')[2]}"


def hmac_with_public_key(authority: Authority) -> str:
    unsigned = with_header(authority.token(), alg="HS256").rpartition(".")[0]
    secret = json.dumps(authority.key.public()).encode()
    signature = hmac.digest(secret, unsigned.encode(), "sha256")
    return f"{unsigned}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


@pytest.mark.parametrize(
    "forge",
    [
        lambda a: a.token(typ="rt+jwt"),
        lambda a: a.token(typ="JWT"),
        lambda a: a.token(typ="AT+JWT"),
        lambda a: a.token(key=Key("first")),
        lambda a: a.token(key=Key("unknown")),
        lambda a: a.token(iss="https://evil.example"),
        lambda a: a.token(aud="https://evil.example"),
        lambda a: a.token(aud=None),
        lambda a: a.token(exp=None),
        lambda a: a.token(exp=int(a.now()) - 10),
        lambda a: a.token(exp=float(a.now()) + 99),
        lambda a: a.token(exp="9999999999"),
        lambda a: a.token(exp=True),
        lambda a: a.token(iat=int(a.now()) + 11),
        lambda a: a.token(nbf=int(a.now()) + 11),
        lambda a: a.token(nbf="soon"),
        lambda a: a.token(sid=None),
        lambda a: a.token(sid=7),
        lambda a: a.token(jti=["token-1"]),
        lambda a: a.token(sub=7),
        lambda a: a.token(padding="x" * 8192),
        lambda a: with_header(a.token(), alg="none"),
        lambda a: with_header(a.token(), alg="HS256"),
        lambda a: with_header(a.token(), alg="RS256"),
        lambda a: with_header(a.token(), kid=5),
        lambda a: with_header(a.token(), kid=["first"]),
        lambda a: with_header(a.token(), kid="FIRST"),
        lambda a: with_header(a.token(), kid="first\0"),
        lambda a: a.token(header={"crit": ["b64"], "b64": True}),
        lambda a: a.token(iat=int(a.now()) + 11, nbf=int(a.now())),
        hmac_with_public_key,
        lambda a: a.token()[:-3],
        lambda a: a.token() + "=",
        lambda a: "",
        lambda a: "a.b.c",
        lambda a: "." * 8000,
        lambda a: "\ud800.é.\0",
        lambda a: None,
        lambda a: b"a.b.c",
        lambda a: "x" * 1_000_000,
    ],
)
def test_no_other_token_is_accepted(forge: Any, reader: Reader, authority: Authority) -> None:
    token = forge(authority)
    for _ in range(2):
        with pytest.raises(InvalidToken):
            reader.verify(token)
    reader.verify(authority.token())


def test_a_token_expires_although_it_has_been_seen(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    token = authority.token(exp=int(clock.now) + 5)
    reader.verify(token)
    clock.pass_(14)
    reader.accept(authority.document())
    reader.verify(token)
    clock.pass_(1)
    with pytest.raises(InvalidToken):
        reader.verify(token)


def test_a_key_that_is_no_longer_published_verifies_nothing(
    reader: Reader, authority: Authority
) -> None:
    token = authority.token()
    reader.verify(token)
    authority.published = [Key("second").public()]
    reader.verifier._read_keys(0)
    with pytest.raises(InvalidToken):
        reader.verify(token)


def test_keys_that_are_read_again_do_not_forget_what_was_seen(
    reader: Reader, authority: Authority
) -> None:
    token = authority.token()
    seen = reader.verify(token)
    reader.verifier._read_keys(0)
    assert reader.verify(token) is seen


def test_keys_that_could_sign_for_everybody_are_ignored(
    reader: Reader, authority: Authority
) -> None:
    good = authority.key.public()
    authority.published = [
        {"kty": "oct", "kid": "hmac", "alg": "HS256", "k": "c2VjcmV0"},
        {"kty": "EC", "kid": "broken", "alg": "ES256", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "alg": "ES256"},
        {**good, "kid": "without alg", "alg": None},
        {**good, "kid": 7},
        good,
    ]
    reader.verifier._read_keys(0)
    assert reader.verifier._keys.keys() == {"first"}


def test_a_flood_of_unknown_kids_reads_the_keys_once_in_five_seconds(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    read, forged = reader.keys_read, authority.token(key=Key("0"))
    clock.pass_(5)
    for number in range(1000):
        with pytest.raises(InvalidToken):
            reader.verify(with_header(forged, kid=str(number)))
    assert reader.keys_read == read + 1
    reader.verify(authority.token())


def test_a_new_key_is_found_by_its_first_token(
    reader: Reader, authority: Authority, clock: Clock
) -> None:
    clock.pass_(5)
    authority.key = Key("second")
    authority.published.append(authority.key.public())
    reader.verify(authority.token())


def test_once_a_key_is_denied_the_next_token_may_ask_for_another(
    reader: Reader, authority: Authority
) -> None:
    authority.deny("kid", "first")
    reader.accept(authority.document(after=0))
    authority.key = Key("second")
    authority.published = [authority.key.public()]
    reader.verify(authority.token())


@pytest.mark.parametrize("trouble", ["<html>", "[]", HTTPException(), zlib.error(), OSError()])
def test_without_an_answer_about_a_key_the_token_is_not_called_invalid(
    trouble: str | Exception, reader: Reader, authority: Authority, clock: Clock
) -> None:
    def get(url: str, headers: object) -> str:
        if isinstance(trouble, Exception):
            raise trouble
        return trouble

    clock.pass_(5)
    reader.verifier._web.get = get  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        reader.verify(authority.token(key=Key("second")))


def test_what_is_remembered_is_bounded(
    reader: Reader, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latchkey_verify.verifier.CAPACITY", 5)
    tokens = [authority.token(jti=str(number)) for number in range(14)]
    for token in tokens:
        reader.verify(token)
    verifier = reader.verifier
    assert len(verifier._seen) <= 5
    assert reader.verify(tokens[-1]) is reader.verify(tokens[-1])
    assert not any(token in repr(verifier._seen) for token in tokens)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearerabc"])
def test_a_header_without_a_bearer_token(header: str | None) -> None:
    with pytest.raises(NoToken):
        credential_of(header)


def test_the_scheme_is_in_any_case() -> None:
    assert credential_of("bEARER  abc ") == "abc"

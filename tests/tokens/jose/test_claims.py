"""The claims of a token: what is written is read, and what may not be in them is refused."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tokens.jose.reading import KEY, NOW, SID, claims, read
from tokens.errors import Expired, Malformed, WrongClaims
from tokens.jose import TokenType, encode, jti_of

TEXT = st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable())


@given(
    type=st.sampled_from(TokenType),
    sub=TEXT,
    sid=st.uuids(),
    generation=st.integers(0, 999_999_999),
    extra=st.dictionaries(st.from_regex(r"x_[a-z]{1,5}", fullmatch=True), TEXT, max_size=3),
)
def test_what_was_written_is_read(
    type: TokenType, sub: str, sid: UUID, generation: int, extra: dict[str, str]
) -> None:
    number = generation if type is TokenType.REFRESH else None
    written = claims(type=type, sub=sub, sid=sid, generation=number, extra=extra)
    assert read(encode(written, key=KEY)) == written


@pytest.mark.parametrize("leeway", [0, 10])
def test_exp_is_the_first_second_that_is_too_late(leeway: int) -> None:
    raw = encode(claims(), key=KEY)
    limit = NOW + timedelta(seconds=300 + leeway)
    slack = timedelta(seconds=leeway)
    read(raw, now=limit - timedelta(microseconds=1), leeway=slack)
    with pytest.raises(Expired, match=r"expired at 2030-01-01T00:05:00Z"):
        read(raw, now=limit, leeway=slack)
    read(raw, now=limit, leeway=slack, verify_exp=False)


@pytest.mark.parametrize("leeway", [0, 10])
def test_nbf_is_the_first_second_that_is_not_too_early(leeway: int) -> None:
    """RFC 7519 §4.1.5. Latchkey issues no nbf, but obeys it in a token signed by its own key."""
    late = int(NOW.timestamp()) + 60
    raw = encode(claims(nbf=late), key=KEY)
    start, slack = NOW + timedelta(seconds=60 - leeway), timedelta(seconds=leeway)
    assert read(raw, now=start, leeway=slack).nbf == late
    with pytest.raises(WrongClaims, match="not good yet"):
        read(raw, now=start - timedelta(microseconds=1), leeway=slack)


def test_what_json_cannot_hold_is_no_claim() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode(claims(extra={"x": float("nan")}), key=KEY)


@pytest.mark.parametrize(
    ("type", "jti"),
    [
        (TokenType.ACCESS, "one"),
        (TokenType.ACCESS, "\0"),
        (TokenType.ACCESS, "\ud800"),
        (TokenType.ACCESS, jti_of(UUID(int=1), 0, TokenType.ACCESS)),
        (TokenType.ACCESS, jti_of(SID, 0, TokenType.REFRESH)),
        (TokenType.REFRESH, jti_of(SID, 0, TokenType.ACCESS)),
        (TokenType.REFRESH, jti_of(SID, 1, TokenType.REFRESH)),
        (TokenType.ACCESS, f"{SID.hex.upper()}.0a"),
        (TokenType.ACCESS, f"{SID.hex}.00a"),
    ],
)
def test_a_jti_that_is_not_that_of_its_session_generation_and_type_is_refused(
    type: TokenType, jti: str
) -> None:
    generation = 0 if type is TokenType.REFRESH else None
    read(encode(claims(type=type, generation=generation), key=KEY))
    with pytest.raises(Malformed):
        read(encode(claims(type=type, generation=generation, jti=jti), key=KEY))


@pytest.mark.parametrize("name", ["iss", "aud", "sub"])
@pytest.mark.parametrize("value", ["a\0b", "\ud800", "b\udfff"])
def test_text_that_no_database_can_hold_is_refused(name: str, value: str) -> None:
    with pytest.raises(Malformed, match=name):
        read(encode(claims(**{name: value}), key=KEY))

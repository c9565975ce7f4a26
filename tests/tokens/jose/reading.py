"""Claims and a key for tests, and how a token with them is read."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tokens.errors import UnknownKey
from tokens.jose import Claims, Key, TokenType, check, jti_of, read_signed

KEY = Key("k1", "HS256", b"0123456789abcdef0123456789abcdef")
NOW = datetime(2030, 1, 1, tzinfo=UTC)
SID = UUID("01234567-89ab-4def-8123-456789abcdef")


def claims(**changes: Any) -> Claims:
    members: dict[str, Any] = {
        "type": TokenType.ACCESS,
        "kid": KEY.kid,
        "iss": "us",
        "aud": "them",
        "sub": "ada",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 300,
        "sid": SID,
        **changes,
    }
    generation = members.get("generation") or 0
    jti = jti_of(members["sid"], generation, members["type"])
    return Claims(**{"jti": jti, **members})


def find(kid: str, type: TokenType) -> Key:
    if kid != KEY.kid:
        raise UnknownKey(kid)
    return KEY


def read(raw_token: str, **changes: Any) -> Claims:
    how: dict[str, Any] = {
        "issuer": "us",
        "audience": "them",
        "now": NOW,
        "leeway": timedelta(0),
    }
    claims, _ = read_signed(raw_token, find_key=changes.pop("find_key", find))
    check(claims, **{**how, **changes})
    return claims

"""
The token as text: its claims, its compact serialization and its ``jti``.

Code that reads or writes a token without the database, a request, a setting or the clock belongs
here. May import ``errors``. Only ``codec`` and
``unnamed`` import PyJWT.

    claims       the claims of a token, and its two types
    codec        encode, check and read a signed token
    jti          the ``jti``, which is made of the session's id and the generation
    unnamed      read a token whose header names no key, with one that the caller pins
    base64url    base64url and JSON, of which each value has one spelling
"""

from .claims import REGISTERED_CLAIMS, Claims, TokenType
from .codec import (
    COMPACT_JWS,
    MAX_TOKEN_LENGTH,
    Key,
    check,
    check_issued,
    encode,
    load_key,
    read_signed,
    sign,
    to_jwk,
)
from .jti import generation_of, jti_of, parse_jti
from .unnamed import UNNAMED_ALGORITHMS, public_pem, read_unnamed

__all__ = [
    "COMPACT_JWS",
    "MAX_TOKEN_LENGTH",
    "REGISTERED_CLAIMS",
    "UNNAMED_ALGORITHMS",
    "Claims",
    "Key",
    "TokenType",
    "check",
    "check_issued",
    "encode",
    "generation_of",
    "jti_of",
    "load_key",
    "parse_jti",
    "public_pem",
    "read_signed",
    "read_unnamed",
    "sign",
    "to_jwk",
]

"""
The token as text: its claims, its compact serialization and its ``jti``.

Code that reads or writes a token without the database, a request, a setting or the clock belongs
here. May import ``errors``. Only ``codec`` imports PyJWT.
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
    to_jwk,
)
from .jti import generation_of, jti_of, parse_jti

__all__ = [
    "COMPACT_JWS",
    "MAX_TOKEN_LENGTH",
    "REGISTERED_CLAIMS",
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
    "read_signed",
    "to_jwk",
]

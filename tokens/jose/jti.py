"""
The one format of a ``jti``: ``<sid in hex>.<generation><a or r>``.

A ``jti`` contains the id of its session, so the session of a ``jti`` can be found although no token
is stored. It is unique because the ``sid`` is, and it is not secret.
"""

import re
from functools import lru_cache
from uuid import UUID

from .claims import Claims, TokenType

# Each part has only one spelling, because the denylist compares text.
_JTI = re.compile(r"([0-9a-f]{32})\.(0|[1-9][0-9]{0,8})([ar])", re.ASCII)


def jti_of(sid: UUID, generation: int, type: TokenType) -> str:
    """Return the ``jti`` of a session's token of this generation and type."""
    letter = "a" if type is TokenType.ACCESS else "r"
    return f"{sid.hex}.{generation}{letter}"


@lru_cache(maxsize=4096)  # Each request asks for that of its token.
def parse_jti(jti: str) -> tuple[UUID, int, TokenType] | None:
    """Return the ``sid``, generation and type in a ``jti``, or None if it has another format."""
    match = _JTI.fullmatch(jti)
    if match is None:
        return None
    sid, generation, letter = match.groups()
    return UUID(hex=sid), int(generation), TokenType.ACCESS if letter == "a" else TokenType.REFRESH


def generation_of(claims: Claims) -> int:
    """Return the generation of a token of either type, which its ``jti`` contains."""
    parsed = parse_jti(claims.jti)
    assert parsed is not None  # noqa: S101  # Reading a token checks it.
    return parsed[1]

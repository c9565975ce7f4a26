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


@lru_cache(maxsize=4096)  # Snapshot mode asks for it at each request.
def parse_jti(jti: str) -> tuple[UUID, int, TokenType] | None:
    """Return the ``sid``, generation and type in a ``jti``, or None if it has another format."""
    match = _JTI.fullmatch(jti)
    if match is None:
        return None
    sid, generation, letter = match.groups()
    return UUID(hex=sid), int(generation), TokenType.ACCESS if letter == "a" else TokenType.REFRESH


def generation_of(claims: Claims) -> int | None:
    """Return the generation of a token of either type, or None if its ``jti`` has no such form."""
    if claims.generation is not None:
        return claims.generation
    parsed = parse_jti(claims.jti)
    return parsed[1] if parsed else None

"""
Read and write one part of a compact JWS: canonical base64url, and JSON without ambiguity.

Reading is strict, and accepts everything that is written here.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, NoReturn

from ..errors import Malformed


def read_bytes(part: str) -> bytes:
    """Return what a base64url part encodes (RFC 7515 §2). Raises Malformed."""
    try:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise Malformed("A part of the token is not base64url.") from None
    if write_bytes(decoded) != part:
        # The last character can have bits that are not decoded, so one token would have several
        # spellings.
        raise Malformed("A part of the token is not in its canonical spelling.")
    return decoded


def read_object(part: str) -> dict[str, Any]:
    """Return the JSON object that a base64url part encodes. Raises Malformed."""
    try:
        members = _DECODER.decode(read_bytes(part).decode("utf-8"))
    except (ValueError, RecursionError):
        raise Malformed("A part of the token is not base64url of a JSON object.") from None
    if not isinstance(members, dict):
        raise Malformed("A part of the token is not a JSON object.")
    return members


def write_bytes(data: bytes) -> str:
    """Return ``data`` as base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def write_object(members: Mapping[str, Any]) -> str:
    """Return a JSON object as base64url. Raises ValueError for values outside JSON, such as NaN."""
    return write_bytes(_ENCODER.encode(members).encode())


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # RFC 7519 §4: of a token with duplicates, two parsers can read different claims.
        raise ValueError("duplicate member")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_DECODER = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)

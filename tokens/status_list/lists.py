"""
The bits of one list, and its payload. This module uses no database, request or clock.

A session's index is a number. Divided by LIST_SIZE, the quotient is the list, and the remainder ``idx``.
"""

import zlib
from collections.abc import Mapping
from typing import Any

from ..jose.base64url import write_bytes

TYPE = "statuslist+jwt"  # §5.1: the ``typ`` of the JOSE header
MEDIA_TYPE = "application/statuslist+jwt"  # §8.2
# §7.1: VALID and INVALID are enough. §12.8: any other status would reveal more.
BITS = 1
VALID, INVALID = 0, 1
# Every list has so many statuses, however few sessions there are: an unused index looks like that of
# a valid token (§13.3), and the size reveals nothing (§12.4). It is divisible by eight (§13.4).
LIST_SIZE = 2**20


class Bits:
    """The statuses of one list, all VALID at first (§13.3)."""

    def __init__(self) -> None:
        self._bytes = bytearray(LIST_SIZE * BITS // 8)

    def __getitem__(self, idx: int) -> int:
        return self._bytes[idx >> 3] >> (idx & 7) & 1

    def refuse(self, idx: int) -> None:
        # §4.1: bits are packed into a byte from the least significant one.
        self._bytes[idx >> 3] |= 1 << (idx & 7)

    def accept(self, idx: int) -> None:
        self._bytes[idx >> 3] &= ~(1 << (idx & 7))

    def refuse_all(self, first: int, count: int) -> None:
        """Refuse ``count`` statuses from ``first``. Both are divisible by eight."""
        self._bytes[first >> 3 : (first + count) >> 3] = b"\xff" * (count >> 3)

    def compressed(self) -> str:
        """Return the ``lst``: DEFLATE in the ZLIB format at the highest level (§4.1), as base64url (§4.2)."""
        return write_bytes(zlib.compress(self._bytes, 9))


def payload_of(
    lst: str, *, uri: str, aggregation_uri: str, issued_at: int, ttl: int, expires_at: int
) -> dict[str, Any]:
    """Return the claims of a Status List Token (§5.1)."""
    return {
        "sub": uri,  # The ``uri`` of the tokens whose statuses it has.
        "iat": issued_at,
        "exp": expires_at,
        "ttl": ttl,  # a positive number of seconds
        "status_list": {"bits": BITS, "lst": lst, "aggregation_uri": aggregation_uri},
    }


def claim_of(idx: int, uri: str) -> Mapping[str, Any]:
    """Return the claim of an access token (§6.2)."""
    return {"status": {"status_list": {"idx": idx, "uri": uri}}}


def uri_of(number: int, base: str) -> str:
    return f"{base}{number}"

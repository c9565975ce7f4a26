"""
A document of the feed: what is denied, its digest, and the signature.

It uses no database, request or clock. docs/feed.md describes the format.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from ..jose import Key, sign
from ..jose.base64url import write_bytes

TYPE = "denials+jwt"  # the ``typ`` of the JOSE header
MEDIA_TYPE = "application/jwt"
DIGEST_LENGTH = 16  # bytes

KINDS = ("sid", "jti", "kid")
CUT_OFF = "cut"


class Denial(NamedTuple):
    """
    What is denied: an id of one of KINDS, or every token issued to ``id`` up to ``before``.

    The ``id`` of a cut-off is a claim sub, or None for all users. ``before`` is in seconds.
    """

    kind: str
    id: str | None
    before: int = 0


# Each denial, and the second from which it does not matter: every token that it refuses has expired.
Denials = Mapping[Denial, int]


def digest_of(denial: Denial, until: int) -> int:
    """Return the digest of one denial. That of several is the XOR of theirs."""
    if denial.kind == CUT_OFF and denial.id is None:
        # No word of "cut": a user's key may be any text.
        text = f"all {denial.before} {until}"
    elif denial.kind == CUT_OFF:
        text = f"cut {denial.id} {denial.before} {until}"
    else:
        text = f"{denial.kind} {denial.id} {until}"
    return int.from_bytes(sha256(text.encode()).digest()[:DIGEST_LENGTH])


def digest_of_all(denials: Denials) -> int:
    digest = 0
    for denial, until in denials.items():
        digest ^= digest_of(denial, until)
    return digest


def payload_of(
    denials: Iterable[tuple[Denial, int]],
    *,
    issuer: str,
    at: int,
    epoch: str,
    after: str | None,
    to: str,
    count: int,
    digest: int,
) -> dict[str, Any]:
    """
    Return the payload of a document with these denials, which follow the cursor ``after``.

    If ``after`` is None, the document has all denials. ``at`` is in milliseconds. ``count`` and
    ``digest`` are always about all denials, so that a reader can check that it has them.
    """
    denied: dict[str, dict[str, list[str]]] = {kind: {} for kind in KINDS}
    cut_offs = []
    for denial, until in denials:
        if denial.kind == CUT_OFF:
            cut_offs.append({"sub": denial.id, "before": denial.before, "until": until})
        else:
            denied[denial.kind].setdefault(str(until), []).append(str(denial.id))
    return {
        "iss": issuer,
        "at": at,
        "epoch": epoch,
        "from": after,
        "to": to,
        "count": count,
        "digest": write_bytes(digest.to_bytes(DIGEST_LENGTH)),
        "denied": denied,
        "cut_offs": cut_offs,
    }


def sign_document(payload: Mapping[str, Any], *, key: Key) -> str:
    """Return the document. Raises KeyRingError for a key that is unfit."""
    return sign(payload, typ=TYPE, key=key)

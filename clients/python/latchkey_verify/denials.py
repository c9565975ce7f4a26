"""What the feed denies in one epoch, and the digest, which proves that nothing is missing."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from .errors import RefusedDocument


class Denials:
    """
    The denials of one epoch.

    Only the thread that follows the feed changes them. Other threads read ``entries`` and
    ``before`` at the same time: an increment only adds entries, and removes those that no longer
    matter.
    """

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        # "sid <id>", "jti <id>", "kid <id>", "cut …", "all …": until
        self.entries: dict[str, int] = {}
        self.before: dict[str | None, int] = {}  # The latest for each user; None is for all.
        self._cut_offs: dict[str, tuple[str | None, int]] = {}
        self._digest = 0

    def apply(self, document: Any) -> None:
        """Add what a document denies. Raises RefusedDocument if something is then missing."""
        for kind in ("sid", "jti", "kid"):
            for until, ids in document["denied"].get(kind, {}).items():
                for each in ids:
                    self._put(f"{kind} {each}", int(until))
        for cut_off in document["cut_offs"]:
            sub, before = cut_off["sub"], cut_off["before"]
            key = f"all {before}" if sub is None else f"cut {sub} {before}"
            self._cut_offs[key] = (sub, before)
            self._put(key, cut_off["until"])
        # What no longer matters at this millisecond.
        for key in [key for key, until in self.entries.items() if until * 1000 <= document["at"]]:
            self._digest ^= _hash(key, self.entries.pop(key))
            self._cut_offs.pop(key, None)
        self.before = dict(sorted(self._cut_offs.values(), key=lambda each: each[1]))
        digest = urlsafe_b64encode(self._digest.to_bytes(16, "big")).rstrip(b"=").decode()
        if (digest, len(self.entries)) != (document["digest"], document["count"]):
            raise RefusedDocument("The digest differs: something is missing.")

    def _put(self, key: str, until: int) -> None:
        known = self.entries.get(key)
        if known is None or known < until:
            self._digest ^= _hash(key, until) ^ (0 if known is None else _hash(key, known))
            self.entries[key] = until


def _hash(key: str, until: int) -> int:
    return int.from_bytes(sha256(f"{key} {until}".encode()).digest()[:16], "big")

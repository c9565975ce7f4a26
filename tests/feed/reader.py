"""A reader of the feed, which knows docs/feed.md and nothing of the app's code."""

import base64
from hashlib import sha256
from typing import Any

import jwt

Key = tuple[str, ...]


class Refused(Exception):
    """The document must not be applied."""


class Reader:
    """Verifies documents, keeps what is denied, and compares the digest."""

    def __init__(self, jwks: dict[str, Any], *, issuer: str = "latchkey") -> None:
        self.jwks = jwks
        self.issuer = issuer
        self.epoch = ""
        self.cursor: str | None = None
        self.at = 0
        self.denied: dict[Key, int] = {}

    def payload_of(self, document: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(document)
        assert header["typ"] == "denials+jwt"
        [key] = [key for key in self.jwks["keys"] if key["kid"] == header["kid"]]
        return dict(
            jwt.decode(
                document,
                jwt.PyJWK.from_dict(key),
                algorithms=[key["alg"]],
                issuer=self.issuer,
                options={"require": ["iss"]},
            )
        )

    def apply(self, document: str) -> dict[str, Any]:
        """Apply a document. Raises Refused if the whole list is needed."""
        payload = self.payload_of(document)
        is_whole = payload["from"] is None
        if not is_whole and (payload["from"] != self.cursor or payload["epoch"] != self.epoch):
            raise Refused("not what follows")
        denied = {} if is_whole else dict(self.denied)
        for key, until in entries_of(payload):
            denied[key] = max(until, denied.get(key, 0))
        denied = {key: until for key, until in denied.items() if until * 1000 > payload["at"]}
        if (len(denied), digest_of(denied)) != (payload["count"], payload["digest"]):
            raise Refused("another digest")
        self.denied, self.cursor = denied, payload["to"]
        self.epoch, self.at = payload["epoch"], payload["at"]
        return payload

    def refuses(self, raw_access: str) -> bool:
        claims = jwt.decode(raw_access, options={"verify_signature": False})
        kid = jwt.get_unverified_header(raw_access)["kid"]
        named = {("sid", claims["sid"]), ("jti", claims["jti"]), ("kid", kid)}
        return not named.isdisjoint(self.denied) or any(
            key[:-1] in {("all",), ("cut", claims["sub"])} and claims["iat"] <= int(key[-1])
            for key in self.denied
        )


def entries_of(payload: dict[str, Any]) -> list[tuple[Key, int]]:
    found: list[tuple[Key, int]] = [
        ((kind, id), int(until))
        for kind, by_instant in payload["denied"].items()
        for until, ids in by_instant.items()
        for id in ids
    ]
    for cut_off in payload["cut_offs"]:
        whose = ("all",) if cut_off["sub"] is None else ("cut", cut_off["sub"])
        found.append(((*whose, str(cut_off["before"])), cut_off["until"]))
    return found


def digest_of(denied: dict[Key, int]) -> str:
    digest = bytes(16)
    for key, until in denied.items():
        one = sha256(" ".join((*key, str(until))).encode()).digest()[:16]
        digest = bytes(a ^ b for a, b in zip(digest, one, strict=True))
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")

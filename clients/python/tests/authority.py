"""An authority for tests: it signs tokens and documents, and serves them as it is told."""

import gzip
import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

ISSUER, AUDIENCE = "https://accounts.example.com", "https://api.example.com"
Entry = tuple[str, str, int]


class Key:
    def __init__(self, kid: str) -> None:
        self.kid, self.private = kid, generate_private_key(SECP256R1())

    def sign(self, payload: dict[str, Any], typ: str, **header: Any) -> str:
        """Sign anything, as PyJWT's own function for claims would not."""
        headers = {"typ": typ, "kid": self.kid, **header}
        text = json.dumps(payload).encode()
        return jwt.PyJWS().encode(text, self.private, "ES256", headers)

    def public(self) -> dict[str, Any]:
        members = jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**members, "kid": self.kid, "alg": "ES256", "use": "sig"}


def digest_of(entries: list[tuple[str, int]]) -> str:
    total = 0
    for text, until in entries:
        total ^= int.from_bytes(sha256(f"{text} {until}".encode()).digest()[:16], "big")
    return urlsafe_b64encode(total.to_bytes(16, "big")).decode().rstrip("=")


class Authority:
    """What it denies is ``entries`` (kind, id, until) and ``cut_offs`` (sub, before, until)."""

    def __init__(self) -> None:
        self.key = Key("first")
        self.published = [self.key.public()]
        self.entries: list[Entry] = []
        self.cut_offs: list[tuple[str | None, int, int]] = []
        self.epoch = "one"
        self.pushes = False
        self.mode = "serve"
        self.now: Any = time.time
        self.asked: list[str] = []

    def token(
        self, key: Key | None = None, typ: str = "at+jwt", header: Any = None, **claims: Any
    ) -> str:
        now = int(self.now())
        told = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + 300}
        told |= {"sid": "session-1", "jti": "token-1", **claims}
        present = {name: value for name, value in told.items() if value is not None}
        return (key or self.key).sign(present, typ, **(header or {}))

    def document(
        self, after: int | None = None, key: Key | None = None, typ: str = "denials+jwt",
        **changes: Any,
    ) -> str:  # fmt: skip
        """Return the whole list, or what came after the entry with this number."""
        at = int(self.now() * 1000)
        everything = [(f"{kind} {each}", until) for kind, each, until in self.entries]
        everything += [
            (f"all {before}" if sub is None else f"cut {sub} {before}", until)
            for sub, before, until in self.cut_offs
        ]
        matters = [(text, until) for text, until in everything if until * 1000 > at]
        denied: dict[str, dict[str, list[str]]] = {"sid": {}, "jti": {}, "kid": {}}
        for kind, each, until in self.entries[after or 0 :]:
            denied[kind].setdefault(str(until), []).append(each)
        cut_offs = [{"sub": s, "before": b, "until": u} for s, b, u in self.cut_offs]
        payload = {
            "iss": ISSUER, "at": at, "epoch": self.epoch, "denied": denied, "cut_offs": cut_offs,
            "from": None if after is None else f"{self.epoch}:{after}",
            "to": f"{self.epoch}:{len(self.entries)}", "count": len(matters),
            "digest": digest_of(matters),
        }  # fmt: skip
        return (key or self.key).sign({**payload, **changes}, typ)

    def deny(self, kind: str, each: str, until: int | None = None) -> None:
        self.entries.append((kind, each, until or int(self.now()) + 320))


class Handler(BaseHTTPRequestHandler):
    authority: Authority

    def do_GET(self) -> None:
        parts, authority = urlsplit(self.path), self.authority
        authority.asked.append(self.path)
        if authority.mode == "down":
            return self.answer(502, b"")
        if authority.mode == "huge":
            return self.trickle(b"x" * 65536, 0)
        if authority.mode == "slow":
            return self.trickle(b"x", 0.05)
        if parts.path.endswith("jwks.json"):
            return self.answer(200, json.dumps({"keys": authority.published}).encode())
        if authority.mode == "redirect":
            return self.answer(302, b"", Location="/elsewhere/")
        after = self.after(parse_qs(parts.query).get("after", [""])[0])
        if parts.path.endswith("/events/"):
            return self.push(after) if authority.pushes else self.answer(501, b"{}")
        body = authority.document(after).encode()
        if authority.mode in ("gzip", "bomb") and "gzip" in self.headers["Accept-Encoding"]:
            packed = gzip.compress(bytes(60_000_000) if authority.mode == "bomb" else body)
            return self.answer(200, packed, **{"Content-Encoding": "gzip"})
        return self.answer(200, body)

    def after(self, cursor: str) -> int | None:
        epoch, _, count = cursor.partition(":")
        return int(count) if epoch == self.authority.epoch else None

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def push(self, after: int | None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.end_headers()
        while self.authority.pushes and self.authority.mode == "serve":
            count = len(self.authority.entries)
            event = f"event: denials\ndata: {self.authority.document(after)}\n\n"
            self.wfile.write(event.encode())
            after = count
            time.sleep(0.01)

    def trickle(self, piece: bytes, pause: float) -> None:
        self.send_response(200)
        self.end_headers()
        with_everything = 100_000
        for _ in range(with_everything):
            try:
                self.wfile.write(piece)
            except OSError:
                return
            time.sleep(pause)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(authority: Authority) -> Iterator[str]:
    """Serve what the authority says until the block ends, and yield its address."""
    handler = type("Bound", (Handler,), {"authority": authority})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        authority.pushes = False
        server.shutdown()
        server.server_close()
        thread.join()

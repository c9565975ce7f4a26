"""Forge tokens: change the parts of a valid one without a library that would refuse them."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms
from jwt.utils import base64url_decode, base64url_encode

from tokens import keyring
from tokens.jose import Key, TokenType

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
ALGORITHMS = get_default_algorithms()

Signature = bytes | Callable[[bytes], bytes]


def sign(key: Key, data: bytes) -> bytes:
    """Return the signature that the algorithm of ``key`` makes."""
    return bytes(ALGORITHMS[key.algorithm].sign(data, key.material))


def part(members: Any) -> bytes:
    """Return a part of a compact JWS: bytes are encoded as they are, anything else as JSON."""
    if not isinstance(members, bytes):
        # The library writes JSON this way, so unchanged members give the same token again.
        members = json.dumps(members, separators=(",", ":")).encode()
    return bytes(base64url_encode(members))


def compact(header: Any, payload: Any, signature: Signature) -> str:
    """Return the compact JWS of any header and payload, as JSON or as bytes."""
    signing_input = part(header) + b"." + part(payload)
    made = signature(signing_input) if callable(signature) else signature
    return (signing_input + b"." + base64url_encode(made)).decode()


def key_of(raw_token: str) -> Key:
    """Return the key of the ring that signed this token."""
    header = json.loads(base64url_decode(raw_token.partition(".")[0]))
    return keyring.verification_key(header["kid"], TokenType(header["typ"]), now=datetime.now(UTC))


def target_of(raw_token: str) -> "Target":
    """Return the parts of a token that a key of the ring signed, with this key."""
    return Target(raw_token, key_of(raw_token))


class Target:
    """The parts of a valid token, and the key that signed it."""

    def __init__(self, raw_token: str, key: Key) -> None:
        header, payload, signature = raw_token.split(".")
        self.raw = raw_token
        self.header: dict[str, Any] = json.loads(base64url_decode(header))
        self.payload = base64url_decode(payload)
        self.signature = base64url_decode(signature)
        self.key = key

    @property
    def claims(self) -> dict[str, Any]:
        return dict(json.loads(self.payload))

    def own(self, data: bytes) -> bytes:
        """Return the valid signature of ``data`` by the key that signed the token."""
        return sign(self.key, data)

    def signing_input(self, **header: Any) -> bytes:
        return part({**self.header, **header}) + b"." + part(self.payload)

    def token(self, signature: Signature, **header: Any) -> str:
        """Return the token with other header members and this signature, given or computed."""
        return compact({**self.header, **header}, self.payload, signature)

    def claiming(self, signature: Signature | None = None, **claims: Any) -> str:
        """Return the token with other claims, and a valid signature unless another is given."""
        return compact(self.header, {**self.claims, **claims}, signature or self.own)

    def without(self, *names: str) -> str:
        """Return the token without these members of header and claims, with a valid signature."""

        def left(members: dict[str, Any]) -> dict[str, Any]:
            return {name: value for name, value in members.items() if name not in names}

        return compact(left(self.header), left(self.claims), self.own)


def raw(r: int, s: int, size: int = 32) -> bytes:
    """Return an ECDSA signature in the format of JOSE (RFC 7518 §3.4)."""
    return r.to_bytes(size) + s.to_bytes(size)


def every_spelling_of(public: Any) -> Iterator[bytes]:
    """Yield the encodings of a public key that an HMAC might use as its secret (CVE-2015-9235)."""
    forms = [(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)]
    forms.append((Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    if isinstance(public, rsa.RSAPublicKey):
        forms += [(Encoding.PEM, PublicFormat.PKCS1), (Encoding.DER, PublicFormat.PKCS1)]
    if isinstance(public, ec.EllipticCurvePublicKey):
        forms.append((Encoding.X962, PublicFormat.UncompressedPoint))
        forms.append((Encoding.X962, PublicFormat.CompressedPoint))
    forms.append((Encoding.OpenSSH, PublicFormat.OpenSSH))
    for encoding, form in forms:
        spelled = public.public_bytes(encoding, form)
        yield spelled
        yield spelled.strip()
    if hasattr(public, "public_bytes_raw"):
        yield public.public_bytes_raw()

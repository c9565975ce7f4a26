"""One signing key as a JSON Web Key (RFC 7517): create it, name it, and return its public part."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..jose import to_jwk
from ..secret import hides_locals

# 3072 bits are as strong as P-256 and Ed25519: 128 bits (NIST SP 800-57 part 1, table 2).
_make_rsa = partial(generate_rsa, public_exponent=65537, key_size=3072)

_MAKERS: dict[str, Callable[[], Any]] = {
    # RFC 7518 §3.2: an HMAC key is at least as long as the hash's output, in bytes.
    "HS256": partial(secrets.token_bytes, 32),
    "HS384": partial(secrets.token_bytes, 48),
    "HS512": partial(secrets.token_bytes, 64),
    "RS256": _make_rsa,
    "PS256": _make_rsa,
    "ES256": partial(generate_private_key, SECP256R1()),
    "EdDSA": Ed25519PrivateKey.generate,
}
ALGORITHMS = tuple(_MAKERS)

# An allow-list: no other member of a key is ever published. The thumbprint is made of the same
# members (RFC 7638 §3.2, RFC 8037 §2). An octet sequence ("oct") has no public part.
_PUBLIC_MEMBERS = {
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "RSA": ("e", "kty", "n"),
}


def make(algorithm: str) -> dict[str, Any]:
    """Return a new private JWK for ``algorithm``, with its ``kid`` and ``alg``."""
    private = to_jwk(_MAKERS[algorithm](), algorithm)
    # The kid of an HMAC key is random: the thumbprint of a secret reveals something about it
    # (RFC 7638 §7).
    secret = private["kty"] not in _PUBLIC_MEMBERS
    kid = secrets.token_urlsafe(24) if secret else thumbprint(private)
    return {**private, "kid": kid, "alg": algorithm}


@hides_locals
def for_refresh_tokens(private: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the HMAC key, as a JWK, that signs the refresh tokens of this key.

    It is derived from the private key with HKDF (RFC 5869), so the public key does not verify its
    tokens. It has the same ``kid``: both keys are rotated and revoked together.
    """
    secret = _decoded(private["k"] if private["kty"] == "oct" else private["d"])
    info = b"latchkey refresh tokens v1 " + private["kid"].encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)
    return {**to_jwk(derived, "HS256"), "kid": private["kid"], "alg": "HS256"}


def public(jwk: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the public JWK, or None if the key has no public part."""
    members = _PUBLIC_MEMBERS.get(jwk["kty"])
    if members is None:
        return None
    public_members = {name: jwk[name] for name in members}
    return {**public_members, "kid": jwk["kid"], "alg": jwk["alg"], "use": "sig"}


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the SHA-256 thumbprint of an asymmetric key, in base64url (RFC 7638 §3)."""
    members = {name: jwk[name] for name in _PUBLIC_MEMBERS[jwk["kty"]]}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    digest = hashlib.sha256(canonical.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _decoded(member: str) -> bytes:
    return base64.urlsafe_b64decode(member + "=" * (-len(member) % 4))

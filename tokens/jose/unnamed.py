"""
Read a JWT whose header names no key, such as those of djangorestframework-simplejwt.

Tokens issued here always have a ``kid``. One without it can only be verified with a key and an
algorithm that the caller has pinned; nothing in the token decides how it is verified.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ..errors import BadSignature, KeyRingError, Malformed
from ..secret import RawToken, Secret, hide, hides_locals
from .base64url import read_bytes, read_object
from .codec import _ALGORITHMS, _split

_NAMES = ("HS", "RS", "ES", "PS")
UNNAMED_ALGORITHMS = frozenset(f"{name}{bits}" for name in _NAMES for bits in (256, 384, 512)) | {
    "EdDSA"
}


@hides_locals
def read_unnamed(raw_token: RawToken, *, algorithm: str, key: Secret[Any]) -> dict[str, Any]:
    """
    Return the members of the payload of a token without ``kid`` that this key has signed.

    The claims are not checked. Raises Malformed, BadSignature, and KeyRingError for a key that is
    unfit for the algorithm.
    """
    raw_token = hide(raw_token)
    parts = _split(raw_token)
    header = read_object(parts.header)
    if {"kid", "crit", "b64"} & header.keys():
        raise Malformed("The JOSE header names a key or has critical extensions.")
    if algorithm not in UNNAMED_ALGORITHMS or header.get("alg") != algorithm:
        # RFC 8725 §3.1: the key decides the algorithm, never the token.
        raise BadSignature(f"The token is not signed with {algorithm}.")
    signing_input = f"{parts.header}.{parts.payload}".encode()
    prepared = _prepared(algorithm, key.reveal())
    if not _ALGORITHMS[algorithm].verify(signing_input, prepared, read_bytes(parts.signature)):
        raise BadSignature("The key did not sign this token.")
    return read_object(parts.payload)


def public_pem(jwk: Mapping[str, Any], *, algorithm: str) -> str:
    """Return the public key of a JWK as PEM. Raises KeyRingError if it is unfit for the algorithm."""
    try:
        public: Any = _ALGORITHMS[algorithm].from_jwk(dict(jwk))
        pem: bytes = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    except (jwt.InvalidKeyError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise KeyRingError(f"The key is unfit for {algorithm}: {type(error).__name__}.") from None
    return pem.decode()


@lru_cache(maxsize=4)
@hides_locals
def _prepared(algorithm: str, material: Any) -> Any:
    try:
        return _ALGORITHMS[algorithm].prepare_key(material)
    except (jwt.InvalidKeyError, TypeError, ValueError) as error:
        raise KeyRingError(f"The key is unfit for {algorithm}: {type(error).__name__}.") from None

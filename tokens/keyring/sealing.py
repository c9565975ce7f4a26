"""
A private JWK to its row and back.

It is sealed with Fernet under a key that HKDF derives from TOKEN_SECRET, and carries its own
``kid`` and ``alg``, so a sealed value that is moved to another row does not open there.
"""

import base64
import json
from collections.abc import Iterable
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..conf import conf
from ..errors import KeyRingError
from ..models import SigningKey


class Sealer:
    """Seals under TOKEN_SECRET, opens under it or any of its fallbacks. Raises KeyRingError."""

    def __init__(self) -> None:
        if not conf.TOKENS_SECRET:
            raise KeyRingError(
                "TOKEN_SECRET is not set. It seals the signing keys: see .env.example."
            )
        self._current = _fernet(conf.TOKENS_SECRET)
        self._any = MultiFernet([self._current, *map(_fernet, conf.TOKENS_SECRET_FALLBACKS)])

    def seal(self, jwk: dict[str, Any]) -> str:
        return self._current.encrypt(json.dumps(jwk).encode()).decode()

    def open(self, row: SigningKey) -> dict[str, Any]:
        """Return the row's private JWK. Raises KeyRingError with what to do about it."""
        try:
            jwk: dict[str, Any] = json.loads(self._any.decrypt(row.sealed))
        except InvalidToken:
            raise KeyRingError(
                f"TOKEN_SECRET does not open the signing key {row.kid[:8]}…. Set it to the secret "
                "that sealed the ring, or add that one to TOKEN_SECRET_FALLBACKS. If it is lost: "
                "manage.py rotate_secret --revoke-previous --secret-lost"
            ) from None
        if (jwk["kid"], jwk["alg"]) != (row.kid, row.algorithm):
            raise KeyRingError(f"The row of the signing key {row.kid[:8]}… was tampered with.")
        return jwk

    def sealed_otherwise(self, rows: Iterable[SigningKey]) -> list[SigningKey]:
        """Return the rows that TOKEN_SECRET alone, without its fallbacks, does not open."""
        return [row for row in rows if not _opens(self._current, row.sealed)]


def _opens(fernet: Fernet, sealed: str) -> bool:
    try:
        fernet.decrypt(sealed)
    except InvalidToken:
        return False
    return True


def _fernet(secret: str) -> Fernet:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"latchkey key ring v1")
    return Fernet(base64.urlsafe_b64encode(hkdf.derive(secret.encode())))

"""
Encrypt a private JWK for its row, and decrypt it.

A sealed value is encrypted with Fernet, under a key that HKDF derives from TOKENS_SECRET. It holds
the key's ``kid`` and ``alg``, so a value that is moved to another row is refused there.
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
from ..secret import hides_locals


class Sealer:
    """Encrypts under TOKENS_SECRET, decrypts under it or a fallback. Raises KeyRingError."""

    def __init__(self) -> None:
        if not conf.TOKENS_SECRET:
            raise KeyRingError(
                "TOKENS_SECRET is not set, so the signing keys cannot be decrypted.",
                hint="Set it to 32 or more random characters that nothing else uses.",
            )
        self._current = _fernet(conf.TOKENS_SECRET)
        self._any = MultiFernet([self._current, *map(_fernet, conf.TOKENS_SECRET_FALLBACKS)])

    @hides_locals
    def seal(self, jwk: dict[str, Any]) -> str:
        return self._current.encrypt(json.dumps(jwk).encode()).decode()

    @hides_locals
    def open(self, row: SigningKey) -> dict[str, Any]:
        """Return the row's private JWK. Raises KeyRingError."""
        try:
            jwk: dict[str, Any] = json.loads(self._any.decrypt(row.sealed))
        except InvalidToken:
            raise KeyRingError(
                f"The signing key {row.kid[:8]}… cannot be decrypted with TOKENS_SECRET.",
                hint="Set TOKENS_SECRET to the secret that encrypted the key, or add that secret "
                'to TOKENS_SECRET_FALLBACKS. If it is lost, run "manage.py rotate_secret '
                '--revoke-previous --secret-lost", which signs out every user.',
            ) from None
        if (jwk["kid"], jwk["alg"]) != (row.kid, row.algorithm):
            raise KeyRingError(
                f"The row of the signing key {row.kid[:8]}… was tampered with.",
                hint="The encrypted key is that of another row or algorithm. Find out who can "
                'write to the database, then run "manage.py rotate_secret --revoke-previous '
                '--secret-lost", which signs out every user.',
            )
        return jwk

    def sealed_otherwise(self, rows: Iterable[SigningKey]) -> list[SigningKey]:
        """Return the rows that TOKENS_SECRET does not decrypt without its fallbacks."""
        return [row for row in rows if not _opens(self._current, row.sealed)]


@hides_locals
def _opens(fernet: Fernet, sealed: str) -> bool:
    try:
        fernet.decrypt(sealed)
    except InvalidToken:
        return False
    return True


@hides_locals
def _fernet(secret: str) -> Fernet:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"latchkey key ring v1")
    return Fernet(base64.urlsafe_b64encode(hkdf.derive(secret.encode())))

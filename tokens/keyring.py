"""
The only door to secrets: the signing key, the key of a ``kid``, the public keys.

A key is a private JWK (RFC 7517), sealed with Fernet under a key that HKDF derives from
``TOKEN_SECRET``. The JWK carries its own ``kid`` and ``alg``, so a sealed row that is moved to
another row's place does not open.

Each process keeps the opened ring in memory. It reads the table again when a signature is
due and its copy is older than SIGNER_MAX_AGE, and when a token names a ``kid`` that it does not
know; strangers can name as many as they like, so the second kind is rationed.
"""

import base64
import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import IntegrityError, transaction
from django.utils import timezone

from .codec import Key, load_key
from .conf import conf
from .errors import KeyRingError, UnknownKey
from .models import SigningKey

# RFC 7518 §3.2: an HMAC key is at least as long as the hash's output, in bytes.
HMAC_KEY_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
ALGORITHMS = tuple(HMAC_KEY_BYTES)

SIGNER_MAX_AGE = 1.0  # seconds
REREADS_PER_SECOND = 10


@dataclass(frozen=True, slots=True)
class _Ring:
    keys: Mapping[str, Key]
    verifies_until: Mapping[str, datetime | None]
    signing_kid: str | None
    read_at: float = field(default_factory=time.monotonic)

    def find(self, kid: str, *, now: datetime) -> Key | None:
        until = self.verifies_until.get(kid)
        return None if until is not None and until <= now else self.keys.get(kid)


class _Process:
    """This process's copy of the ring, and what is left of its ration of re-reads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.ring: _Ring | None = None
        self.ration = float(REREADS_PER_SECOND)
        self.rationed_at = time.monotonic()

    def may_reread(self) -> bool:
        with self.lock:
            elapsed = time.monotonic() - self.rationed_at
            self.rationed_at += elapsed
            self.ration = min(self.ration + elapsed * REREADS_PER_SECOND, REREADS_PER_SECOND)
            if self.ration < 1:
                return False
            self.ration -= 1
            return True


_process = _Process()


def forget() -> None:
    """Drop this process's copy, so that the next use reads the table."""
    _process.forget()


def signing_key() -> Key:
    """
    Return the key that signs now, at most SIGNER_MAX_AGE seconds out of date.

    Raises KeyRingError.
    """
    ring = _process.ring
    if ring is None or time.monotonic() - ring.read_at > SIGNER_MAX_AGE:
        ring = _read()
    if ring.signing_kid is None:
        raise KeyRingError('No signing key exists. Run "manage.py migrate" to create the first.')
    return ring.keys[ring.signing_kid]


def verification_key(kid: str, *, now: datetime) -> Key:
    """
    Return the key of ``kid``, which is a caller's word: an exact look-up, and rationed re-reads.

    Raises UnknownKey, KeyRingError.
    """
    ring = _process.ring or _read()
    key = ring.find(kid, now=now)
    if key is None and kid not in ring.keys and _process.may_reread():
        key = _read().find(kid, now=now)
    if key is None:
        raise UnknownKey("The token's kid names no key that verifies.")
    return key


def jwks() -> dict[str, list[dict[str, Any]]]:
    """Return the public keys as a JWK Set (RFC 7517 §5). An HMAC key has no public part."""
    return {"keys": []}


def ensure() -> bool:
    """Create the signing key and its successor where there are none; True if this call did."""
    if SigningKey.objects.exists():
        return False
    now = timezone.now()
    algorithm = conf.TOKENS_ALGORITHM
    rows = [
        _generate(algorithm, state=SigningKey.State.SIGNING, now=now),
        _generate(algorithm, state=SigningKey.State.NEXT, now=now),
    ]
    try:
        with transaction.atomic():
            SigningKey.objects.bulk_create(rows)
    except IntegrityError:
        return False  # Another process was first, which is as good.
    finally:
        forget()
    return True


def check() -> None:
    """Read the table and open every key. Raises KeyRingError with what to do about it."""
    _read()
    signing_key()


def _generate(algorithm: str, *, state: SigningKey.State, now: datetime) -> SigningKey:
    # Random, not the thumbprint: the thumbprint of a secret is a hint about the secret.
    kid = secrets.token_urlsafe(24)
    secret = secrets.token_bytes(HMAC_KEY_BYTES[algorithm])
    encoded = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    jwk = {"kty": "oct", "kid": kid, "alg": algorithm, "k": encoded}
    return SigningKey(
        kid=kid,
        algorithm=algorithm,
        state=state,
        sealed=_sealer().encrypt(json.dumps(jwk).encode()).decode(),
        created_at=now,
        signs_since=now if state == SigningKey.State.SIGNING else None,
    )


def _read() -> _Ring:
    rows = list(SigningKey.objects.all())
    sealer = _sealer()
    signing = [row.kid for row in rows if row.state == SigningKey.State.SIGNING]
    ring = _Ring(
        keys={row.kid: _open(row, sealer) for row in rows},
        verifies_until={row.kid: row.verifies_until for row in rows},
        signing_kid=signing[0] if signing else None,
    )
    _process.ring = ring
    return ring


def _open(row: SigningKey, sealer: MultiFernet) -> Key:
    try:
        jwk = json.loads(sealer.decrypt(row.sealed.encode()))
    except InvalidToken:
        raise KeyRingError(
            f"TOKEN_SECRET does not open the signing key {row.kid[:8]}…. Set it to the secret "
            "that sealed the ring, or add that one to TOKEN_SECRET_FALLBACKS."
        ) from None
    if (jwk["kid"], jwk["alg"]) != (row.kid, row.algorithm):
        raise KeyRingError(f"The row of the signing key {row.kid[:8]}… was tampered with.")
    return load_key(jwk)


def _sealer() -> MultiFernet:
    # Seals with the first, opens with any.
    secrets_in_order = [conf.TOKENS_SECRET, *conf.TOKENS_SECRET_FALLBACKS]
    if not conf.TOKENS_SECRET:
        raise KeyRingError("TOKEN_SECRET is not set. It seals the signing keys: see .env.example.")
    return MultiFernet([Fernet(_derive(secret)) for secret in secrets_in_order])


def _derive(secret: str) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"latchkey key ring v1")
    return base64.urlsafe_b64encode(hkdf.derive(secret.encode()))

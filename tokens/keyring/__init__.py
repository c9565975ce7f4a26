"""
The signing keys: which one signs, which verify a token, rotation, and the public keys.

No other package handles a secret. May import denylist, jose, client and the modules below them.

    jwk         one key as a JSON Web Key
    sealing     a key to its row and back, under TOKENS_SECRET
    ring        this process's copy of the decrypted keys
    rotation    create, rotate, revoke and delete keys
    receivers   creates the first keys after ``migrate``
"""

from .jwk import ALGORITHMS
from .ring import (
    SIGNER_MAX_AGE,
    NeedsQuery,
    check,
    forget,
    jwks,
    key_in_memory,
    signing_key,
    unneeded_fallbacks,
    verification_key,
)
from .rotation import (
    Plan,
    RotationConflict,
    ensure,
    plan_rotation,
    prunable,
    prune,
    publish,
    removable_at,
    reseal,
    rotate,
)

__all__ = [
    "ALGORITHMS",
    "SIGNER_MAX_AGE",
    "NeedsQuery",
    "Plan",
    "RotationConflict",
    "check",
    "ensure",
    "forget",
    "jwks",
    "key_in_memory",
    "plan_rotation",
    "prunable",
    "prune",
    "publish",
    "removable_at",
    "reseal",
    "rotate",
    "signing_key",
    "unneeded_fallbacks",
    "verification_key",
]

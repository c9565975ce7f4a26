"""
The only door to secrets: the signing key, the key of a ``kid``, the public keys, and rotation.

    jwk         one key as a JSON Web Key: made, named, its public part
    sealing     a key to its row and back, under TOKENS_SECRET
    ring        this process's copy of the opened keys
    rotation    which key signs, which only verifies, which is revoked
"""

from .jwk import ALGORITHMS
from .ring import (
    SIGNER_MAX_AGE,
    check,
    forget,
    jwks,
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
    "Plan",
    "RotationConflict",
    "check",
    "ensure",
    "forget",
    "jwks",
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

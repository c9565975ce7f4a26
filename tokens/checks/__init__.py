"""
System checks: each reports what makes tokens unsafe or unusable, and its hint says what to do.

    ring         TOKENS_SECRET, and the signing keys
    values       settings that are invalid by themselves or in combination
    databases    databases that cannot keep what the app promises
    deployment   what a production site should change, for ``check --deploy``
    wording      how messages write a duration
"""

from .databases import check_atomic_requests, check_database, check_sequence
from .deployment import check_deployment, check_pruning
from .ring import check_algorithm, check_key_ring, check_secret, check_signing_keys
from .values import (
    check_authentication_classes,
    check_claims_hook,
    check_denylist_mode,
    check_grace_elsewhere,
    check_lifetimes,
    check_proxies,
    check_retention,
    check_sessions_per_user,
    check_throttles,
    check_user_rule,
)

__all__ = [
    "check_algorithm",
    "check_atomic_requests",
    "check_authentication_classes",
    "check_claims_hook",
    "check_database",
    "check_denylist_mode",
    "check_deployment",
    "check_grace_elsewhere",
    "check_key_ring",
    "check_lifetimes",
    "check_proxies",
    "check_pruning",
    "check_retention",
    "check_secret",
    "check_sequence",
    "check_sessions_per_user",
    "check_signing_keys",
    "check_throttles",
    "check_user_rule",
]

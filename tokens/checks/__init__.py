"""
System checks: what would make the tokens unsafe or useless, and what to do about it.

    ring         the secret that seals the ring, and the keys in it
    values       settings that make no sense by themselves, or not together
    deployment   what a site that serves people had better do, for ``check --deploy``
"""

from .deployment import check_deployment, check_pruning
from .ring import check_algorithm, check_key_ring, check_secret, check_signing_keys
from .values import (
    check_authentication_classes,
    check_claims_hook,
    check_database,
    check_denylist_mode,
    check_lifetimes,
    check_proxies,
    check_retention,
    check_throttles,
)

__all__ = [
    "check_algorithm",
    "check_authentication_classes",
    "check_claims_hook",
    "check_database",
    "check_denylist_mode",
    "check_deployment",
    "check_key_ring",
    "check_lifetimes",
    "check_proxies",
    "check_pruning",
    "check_retention",
    "check_secret",
    "check_signing_keys",
    "check_throttles",
]

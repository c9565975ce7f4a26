"""
System checks: each reports what makes tokens unsafe or unusable, and its hint says what to do.

    ring         TOKENS_SECRET, and the signing keys
    values       settings that are invalid by themselves or in combination
    proxies      settings that disagree about the proxies in front
    sign_in      whether sign-ins are limited wherever a password is accepted
    databases    databases that cannot keep what the app promises
    versions     versions of Django on which requests take longer
    deployment   what a production site should change, for ``check --deploy``
    joining      what a project needs beside INSTALLED_APPS, such as routes
    names        settings with a name that nothing reads
    left_over    what another package left behind
    taken_over   what an optional app reads or provides in another package's place
    listed       whether a setting lists a class
    wording      how messages write a duration
"""

from .databases import check_atomic_requests, check_database, check_engine, check_sequence
from .deployment import check_database_file, check_deployment, check_pruning
from .joining import (
    check_exception_handler,
    check_home_url,
    check_me_serializer,
    check_pages,
    check_routes,
)
from .left_over import check_apps, check_left_over_classes, check_left_over_routes
from .names import check_names, check_names_without_prefix, check_settings_of_others
from .proxies import check_proxies, check_proxies_agree
from .ring import (
    check_algorithm,
    check_key_ring,
    check_secret,
    check_secret_fallbacks,
    check_signing_keys,
)
from .sign_in import check_sign_in
from .taken_over import take_over
from .values import (
    check_authentication_classes,
    check_claims_hook,
    check_denylist_mode,
    check_grace_elsewhere,
    check_header,
    check_lifetimes,
    check_on_proof,
    check_password_checks,
    check_retention,
    check_rotation,
    check_sessions_per_user,
    check_throttles,
    check_user_language,
    check_user_rule,
)
from .versions import check_compiled_query

__all__ = [
    "check_algorithm",
    "check_apps",
    "check_atomic_requests",
    "check_authentication_classes",
    "check_claims_hook",
    "check_compiled_query",
    "check_database",
    "check_database_file",
    "check_denylist_mode",
    "check_deployment",
    "check_engine",
    "check_exception_handler",
    "check_grace_elsewhere",
    "check_header",
    "check_home_url",
    "check_key_ring",
    "check_left_over_classes",
    "check_left_over_routes",
    "check_lifetimes",
    "check_me_serializer",
    "check_names",
    "check_names_without_prefix",
    "check_on_proof",
    "check_pages",
    "check_password_checks",
    "check_proxies",
    "check_proxies_agree",
    "check_pruning",
    "check_retention",
    "check_rotation",
    "check_routes",
    "check_secret",
    "check_secret_fallbacks",
    "check_sequence",
    "check_sessions_per_user",
    "check_settings_of_others",
    "check_sign_in",
    "check_signing_keys",
    "check_throttles",
    "check_user_language",
    "check_user_rule",
    "take_over",
]

"""
How often sign-ins may be tried, and how attempts are counted.

Rules about who may try something how often belong here; DRF's throttle classes are in ``api``.
May import sessions and the packages below it.

``sign_in.start`` checks a password within the limits and starts a session, ``sign_in.authenticate``
only checks it, and ``limit_sign_in`` wraps a login view.

    sign_in    the limits on sign-ins
    counts     rates, and the count of each caller in the database
"""

from . import sign_in
from .counts import Charge, Rate, network_of, parse_rate, prunable, take, waits
from .sign_in import limit_sign_in

__all__ = [
    "Charge",
    "Rate",
    "limit_sign_in",
    "network_of",
    "parse_rate",
    "prunable",
    "sign_in",
    "take",
    "waits",
]

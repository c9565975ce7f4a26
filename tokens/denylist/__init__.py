"""
What is refused although its signature is good: a ``jti``, a ``sid`` or a ``kid``.

``entries`` writes and reads the table, and ``lifetime`` says how long a row matters. ``snapshot``
and ``notifications`` serve snapshot mode alone. May import jose, client and what is below them.
"""

from .entries import (
    MAX_KEY_LENGTH,
    PRUNE_SAFETY_MARGIN,
    ask_about,
    denied,
    deny,
    find,
    is_denied,
    prunable,
)
from .lifetime import last_accepted, longest_accepted

__all__ = [
    "MAX_KEY_LENGTH",
    "PRUNE_SAFETY_MARGIN",
    "ask_about",
    "denied",
    "deny",
    "find",
    "is_denied",
    "last_accepted",
    "longest_accepted",
    "prunable",
]

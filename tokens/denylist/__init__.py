"""
What is refused although its signature is good: a ``jti``, a ``sid``, a ``kid``, or whatever was
issued before an instant.

``entries`` writes and reads the table, ``cut_offs`` its rows that name an instant, and ``lifetime``
says how long a row matters. May import jose, client and what is below them.
"""

from .cut_offs import (
    AFTER_CUT_OFF,
    begin_after,
    cut_off,
    cut_off_values,
    find_cut_offs,
    is_cut_off,
    latest_cut_off,
)
from .entries import (
    MAX_KEY_LENGTH,
    PRUNE_SAFETY_MARGIN,
    Entry,
    add_follower,
    ask_about,
    denied,
    deny,
    find,
    is_denied,
    key_of,
    prunable,
)
from .lifetime import last_accepted, longest_accepted

__all__ = [
    "AFTER_CUT_OFF",
    "MAX_KEY_LENGTH",
    "PRUNE_SAFETY_MARGIN",
    "Entry",
    "add_follower",
    "ask_about",
    "begin_after",
    "cut_off",
    "cut_off_values",
    "denied",
    "deny",
    "find",
    "find_cut_offs",
    "is_cut_off",
    "is_denied",
    "key_of",
    "last_accepted",
    "latest_cut_off",
    "longest_accepted",
    "prunable",
]

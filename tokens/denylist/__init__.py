"""
What is refused although its signature is valid: a ``jti``, a ``sid``, a ``kid``, or all tokens of
sessions that began before an instant.

``entries`` writes and reads the table, ``cut_offs`` its rows that contain an instant, and ``lifetime``
computes how long a row is needed. ``notifications`` informs other processes of new rows, and
``listening`` is the thread that PostgreSQL informs. May import jose, client and what is below them.
"""

from .cut_offs import (
    AFTER_CUT_OFF,
    Denials,
    begin_after,
    cut_off,
    cut_off_values,
    find_cut_offs,
    find_denials,
    is_cut_off,
    latest_cut_off,
    refuse,
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
    key_and_version,
    key_of,
    notify_others_when,
    prunable,
)
from .lifetime import last_accepted, longest_accepted

__all__ = [
    "AFTER_CUT_OFF",
    "MAX_KEY_LENGTH",
    "PRUNE_SAFETY_MARGIN",
    "Denials",
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
    "find_denials",
    "is_cut_off",
    "is_denied",
    "key_and_version",
    "key_of",
    "last_accepted",
    "latest_cut_off",
    "longest_accepted",
    "notify_others_when",
    "prunable",
    "refuse",
]

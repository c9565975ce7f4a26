"""
What staff sees and does. Every act calls a verb of ``sessions``, ``staff`` or ``keyring``.

    base        rows to read, lists that count nothing, who may do what, what is logged
    search      what somebody types into the search field, to sessions
    posted_search  the search field that is posted, because a token may be pasted into it
    filters     state, end reason, last refreshed
    sessions    the list, one session and its history, revoking
    denylist    the list, and denying a token or a jti
    keys        the ring, rotating and revoking
    users       what is added to the project's own admin of its users
    overview    the first page
"""

from . import denylist, keys, sessions

__all__ = ["denylist", "keys", "sessions"]

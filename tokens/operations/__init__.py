"""
What staff and operators do, beyond what one request does to one session.

The admin, the commands and the checks use these modules, which are the interface of this package:

    revocation       revoke all sessions, those of a user, one session or one token
    explanation      why a token is accepted or refused
    pruning          delete old rows, at the pace set in ``pacing``
    mail             mail to users about their own sessions
    support_group    the group "Support"
    users            find users by what a person types
    tally, wording   what the admin and the commands count and say alike

May import limits and the packages below it.
"""

from . import explanation, mail, pruning, revocation, support_group, tally, users, wording

__all__ = [
    "explanation",
    "mail",
    "pruning",
    "revocation",
    "support_group",
    "tally",
    "users",
    "wording",
]

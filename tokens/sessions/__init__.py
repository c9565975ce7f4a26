"""
Start, authenticate, refresh and end a session: the verbs that the API, the admin and commands call.

Every rule of a session belongs here. Read ``lifecycle`` first, then ``refreshing``:

    lifecycle         start, issue_access_token, authenticate, verify, revoke
    asynchronous      the verbs for async code: aauthenticate, arefresh and so on
    refreshing        refresh: what a refresh token is answered, and what reuse is
    authentication    how a raw token becomes a user
    decision          whether the rows of a session and its user accept a token
    batches           judge many access tokens at once
    eligibility       the rule who may come in
    limit             how many sessions a user may have
    ending            the functions that end sessions
    revoking          revoke every session, or those of a user, by one row
    naming            the name that a user gives to a device
    passwords         change_password, and what a new password or hash does to the sessions
    pairs             the two tokens of a session's row
    query, writes     the SQL that reads, inserts and rotates the row
    seen              notes that a pair was seen in use, off the request's path
    verified          claims whose signature this process has verified
    lazy_user         the user of a token that was accepted without a query
    audience          for whom the tokens are
    status            where an optional package gives each session an index, for a list of statuses
    auth_hash         whether the user still has the password of the session
    receivers         end sessions when the user changes
    django_sessions   Django's own sessions, such as those of the admin
    events            the signals and log lines of a session

May import keyring, denylist, jose, client and the modules below them.
"""

from ..client import Client
from ..models import EndReason
from .asynchronous import (
    aauthenticate,
    achange_password,
    aend,
    aend_all,
    aend_matching,
    aend_others,
    afind_by_refresh_token,
    aissue_access_token,
    ajudge_all,
    aname_device,
    aread_claims,
    arefresh,
    arevoke,
    arevoke_everything,
    arevoke_token,
    arevoke_user,
    astart,
    averify,
)
from .audience import audience_of
from .auth_hash import auth_hash_matches, auth_hashes
from .authentication import (
    Authenticated,
    judge,
    read_claims,
    set_adopter,
    set_shortcut,
)
from .batches import Accepted, Presented, judge_all
from .decision import check_session
from .eligibility import lock, needs_user, require_eligible
from .ending import end, end_all, end_matching, end_others, revoke_token
from .lifecycle import authenticate, issue_access_token, revoke, start, verify
from .naming import name_device
from .pairs import AccessToken, Check, TokenPair
from .passwords import change_password
from .refreshing import find_by_refresh_token, refresh, would_refresh
from .revoking import revoke_everything, revoke_user
from .status import set_statuses

__all__ = [
    "Accepted",
    "AccessToken",
    "Authenticated",
    "Check",
    "Client",
    "EndReason",
    "Presented",
    "TokenPair",
    "aauthenticate",
    "achange_password",
    "aend",
    "aend_all",
    "aend_matching",
    "aend_others",
    "afind_by_refresh_token",
    "aissue_access_token",
    "ajudge_all",
    "aname_device",
    "aread_claims",
    "arefresh",
    "arevoke",
    "arevoke_everything",
    "arevoke_token",
    "arevoke_user",
    "astart",
    "audience_of",
    "auth_hash_matches",
    "auth_hashes",
    "authenticate",
    "averify",
    "change_password",
    "check_session",
    "end",
    "end_all",
    "end_matching",
    "end_others",
    "find_by_refresh_token",
    "issue_access_token",
    "judge",
    "judge_all",
    "lock",
    "name_device",
    "needs_user",
    "read_claims",
    "refresh",
    "require_eligible",
    "revoke",
    "revoke_everything",
    "revoke_token",
    "revoke_user",
    "set_adopter",
    "set_shortcut",
    "set_statuses",
    "start",
    "verify",
    "would_refresh",
]

"""
Start, authenticate, refresh and end a session: the verbs that the API, the admin and commands call.

Every rule of a session belongs here. Read ``lifecycle`` first, then ``refreshing``:

    lifecycle         start, issue_access_token, authenticate, verify, revoke
    refreshing        refresh: what a refresh token is answered, and what reuse is
    authentication    how a raw token becomes a user
    eligibility       the rule who may come in
    limit             how many sessions a user may have
    ending            the functions that end sessions
    revoking          revoke every session, or those of a user, by one row
    passwords         change_password, and what a new password or hash does to the sessions
    pairs             the two tokens of a session's row
    query, writes     the SQL that reads, inserts and rotates the row
    seen              notes that a pair was seen in use, off the request's path
    verified          claims whose signature this process has verified
    lazy_user         the user of a token that was accepted without a query
    auth_hash         whether the user still has the password of the session
    receivers         end sessions when the user changes
    events            the signals and log lines of a session

May import keyring, denylist, jose, client and the modules below them.
"""

from ..client import Client
from ..models import EndReason
from .auth_hash import auth_hash_matches, auth_hashes
from .authentication import Authenticated, check_session, read_claims, set_shortcut
from .eligibility import needs_user
from .ending import end, end_all, end_matching, revoke_token
from .lifecycle import authenticate, issue_access_token, revoke, start, verify
from .pairs import AccessToken, Check, TokenPair
from .passwords import change_password
from .refreshing import find_by_refresh_token, refresh, would_refresh
from .revoking import revoke_everything, revoke_user

__all__ = [
    "AccessToken",
    "Authenticated",
    "Check",
    "Client",
    "EndReason",
    "TokenPair",
    "auth_hash_matches",
    "auth_hashes",
    "authenticate",
    "change_password",
    "check_session",
    "end",
    "end_all",
    "end_matching",
    "find_by_refresh_token",
    "issue_access_token",
    "needs_user",
    "read_claims",
    "refresh",
    "revoke",
    "revoke_everything",
    "revoke_token",
    "revoke_user",
    "set_shortcut",
    "start",
    "verify",
    "would_refresh",
]

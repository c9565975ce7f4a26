"""
Open the switch, and import a session for each refresh token that was not shown yet.

Everything is done in batches, each in a transaction of its own. A row that exists already is left as it
is, so the import can be killed and run again, and is run again after the last server of the former site
has stopped.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, router
from django.db.models import QuerySet
from django.utils import timezone

from .. import clock
from ..database import places
from ..errors import TokenError
from ..jose import TokenType, public_pem
from ..models import Session
from ..secret import Secret
from . import reading
from .models import AdoptedToken, BlacklistedToken, OutstandingToken, Switch
from .outstanding import KID, session_of, session_of_unshown
from .reading import TheirToken
from .their_settings import TheirSettings

BATCH_SIZE = 500
# How long the former site may go on before the cut-over, unless the operator names an instant.
UNTIL_CUT_OVER = timedelta(hours=1)
COMMITTED_WITHIN = timedelta(minutes=1)

Report = Callable[[str], None]


@dataclass(slots=True)
class Imported:
    """What an import has done. ``unreadable`` tokens are not verified by SIMPLE_JWT's key."""

    users: int = 0
    tokens: int = 0
    known: int = 0
    blacklisted: int = 0
    refused: int = 0
    unreadable: int = 0


def has_blacklist() -> bool:
    """Return whether the database has the tables of the other package's blacklist app."""
    connection = connections[router.db_for_write(Session)]
    names = connection.introspection.table_names()
    return {OutstandingToken._meta.db_table, BlacklistedToken._meta.db_table} <= set(names)


def open_switch(
    theirs: TheirSettings,
    *,
    cut_over_at: datetime | None = None,
    public_key: str = "",
    now: datetime | None = None,
) -> Switch:
    """
    Accept tokens of the other package from now on, and return the row that says so.

    If it exists, only an instant that is given changes the cut-over.
    """
    now = now or clock.now()
    switch = Switch.objects.first()
    if switch is None:
        cut_over_at = cut_over_at or now + UNTIL_CUT_OVER
        switch = Switch(opened_at=now, cut_over_at=cut_over_at, closes_at=cut_over_at)
    switch.cut_over_at = cut_over_at or switch.cut_over_at
    switch.has_blacklist = has_blacklist()
    switch.public_key = public_key or switch.public_key
    longest = max(theirs.access_lifetime, theirs.refresh_lifetime)
    switch.closes_at = max(switch.closes_at, switch.cut_over_at + longest + theirs.leeway)
    if last := _last_to_expire(switch):
        switch.closes_at = max(switch.closes_at, last + theirs.leeway)
    switch.save()
    return switch


def run(
    switch: Switch, theirs: TheirSettings, *, report: Report, now: datetime | None = None
) -> Imported:
    """Import the users and the tokens, and return how many. ``report`` gets the progress."""
    now = now or clock.now()
    done = Imported()
    for users in _batches(active_users()):
        done.users += _import_users(users, switch, now=now)
        report(f"{done.users} users")
    # Only now: a token of a user whose batch was yet to come would be refused. And a user whose
    # transaction was open is in no batch.
    known_at = now - COMMITTED_WITHIN
    Switch.objects.update(users_known_at=known_at)
    if switch.has_blacklist:
        for rows in _batches(outstanding()):
            _import_tokens(rows, switch, theirs, done, now=now)
            report(f"{done.tokens + done.known} tokens")
    return done


def pinned_key(key_set: dict[str, Any], algorithm: str) -> str:
    """
    Return the one key of a JWK Set that can verify this algorithm, as PEM.

    Raises KeyRingError for a key that is unfit, and ValueError unless there is exactly one.
    """
    types = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
    kty = types[algorithm[:2]]
    fit = [
        key
        for key in key_set.get("keys", [])
        if key.get("kty") == kty
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
    ]
    if len(fit) != 1:
        raise ValueError(f"The JWK Set has {len(fit)} keys for {algorithm}; one can be pinned.")
    return public_pem(fit[0], algorithm=algorithm)


def _last_to_expire(switch: Switch) -> datetime | None:
    if not switch.has_blacklist:
        return None
    last = _stored().order_by("-expires_at").values_list("expires_at", flat=True)
    found: datetime | None = last.first()
    if found is not None and timezone.is_naive(found):
        found = timezone.make_aware(found)
    return found


def active_users() -> "QuerySet[Any]":
    """Return the users who may have tokens of the former site."""
    return get_user_model()._default_manager.filter(is_active=True)


def outstanding() -> "QuerySet[OutstandingToken]":
    """Return the refresh tokens that the former site knows and that have not expired."""
    return _stored().filter(expires_at__gt=timezone.now())


def _stored() -> "QuerySet[OutstandingToken]":
    # ``simplejwt_names`` writes a row without a token for each session of ours.
    return OutstandingToken.objects.exclude(token="")


def _batches(rows: "QuerySet[Any]") -> Iterator[list[Any]]:
    """Yield the rows by primary key, each batch by a query of its own."""
    last = None
    while True:
        left = rows.order_by("pk") if last is None else rows.filter(pk__gt=last).order_by("pk")
        batch = list(left[:BATCH_SIZE])
        if not batch:
            return
        yield batch
        last = batch[-1].pk


def _import_users(users: list[Any], switch: Switch, *, now: datetime) -> int:
    rows = [session_of_unshown(user, switch, now=now) for user in users]
    if not switch.may_have_been_pruned(now):
        Session.objects.bulk_create(rows, ignore_conflicts=True)
    if now <= switch.cut_over_at:
        _follow_passwords(users)
    return len(rows)


def _follow_passwords(users: list[Any]) -> None:
    """
    Give the sessions that were imported before the passwords that the former site has stored since.

    A new password there, or a better hash of the same one, signs no user out. A change here has ended
    the sessions, and they stay as they are.
    """
    hashes = {user.pk: user.get_session_auth_hash() for user in users}
    rows = Session.objects.filter(user__in=users, kid=KID, generation=0, ended_at=None)
    stale: dict[Any, list[Any]] = {}
    for sid, owner, auth_hash in rows.values_list("pk", "user_id", "auth_hash"):
        if auth_hash != hashes[owner]:
            stale.setdefault(owner, []).append(sid)
    for owner, sids in stale.items():
        rows.filter(pk__in=sids).update(auth_hash=hashes[owner])


def _import_tokens(
    rows: list[OutstandingToken],
    switch: Switch,
    theirs: TheirSettings,
    done: Imported,
    *,
    now: datetime,
) -> None:
    denied = BlacklistedToken.objects.filter(token_id__in=[row.pk for row in rows])
    blacklisted = set(denied.values_list("token_id", flat=True))
    done.blacklisted += len(blacklisted)
    good = [row for row in rows if row.pk not in blacklisted]
    tokens = [token for row in good if (token := _read(row, switch, theirs, now=now))]
    done.unreadable += len(good) - len(tokens)
    sids = [token.sid for token in tokens]
    with places.atomic(Session):
        known = set(AdoptedToken.objects.filter(pk__in=sids).values_list("pk", flat=True))
        done.known += len(known)
        unknown = [token for token in tokens if token.sid not in known]
        owners = _owners(unknown, theirs)
        new = [
            session_of(token, owners[token.user_id]) for token in unknown if token.user_id in owners
        ]
        Session.objects.bulk_create(new, ignore_conflicts=True)
        AdoptedToken.objects.bulk_create(
            [AdoptedToken(sid=row.pk, user_id=row.user_id, is_refresh=True) for row in new],
            ignore_conflicts=True,
        )
    done.tokens += len(new)
    done.refused += len(unknown) - len(new)


def _read(
    row: OutstandingToken, switch: Switch, theirs: TheirSettings, *, now: datetime
) -> TheirToken | None:
    try:
        token = reading.read(
            Secret(row.token),
            theirs=theirs,
            public_key=switch.public_key,
            type=TokenType.REFRESH,
            now=now,
        )
    except TokenError:
        return None
    return token if token.jti == row.jti else None


def _owners(tokens: list[TheirToken], theirs: TheirSettings) -> dict[str, Any]:
    """Return the users of tokens that may be imported, by the id in the tokens."""
    owners = reading.find_users(tokens, theirs)
    unshown = {reading.sid_of_unshown(user): user_id for user_id, user in owners.items()}
    # A user whose tokens were all taken back, here, has none left.
    left = Session.objects.filter(pk__in=unshown, ended_at=None).values_list("pk", flat=True)
    live = {unshown[sid] for sid in left}
    return {user_id: user for user_id, user in owners.items() if user_id in live and user.is_active}

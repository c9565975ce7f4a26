"""What an operator wants to know: who still uses old tokens, and what the settings mean for clients."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F

from .. import signals
from ..conf import conf
from ..models import EndReason, Session, SessionKind
from ..operations.wording import counted
from .importing import BATCH_SIZE
from .models import AdoptedToken, Switch
from .outstanding import KID
from .their_settings import TheirSettings

LATELY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Status:
    """
    ``unshown`` refresh tokens have a session and were never used; ``lately`` were used in the last day.

    ``unproven`` sessions of any origin refresh with their first token, as under "on_proof".
    """

    unshown: int
    shown: int
    lately: int
    unproven: int


def status(*, now: datetime) -> Status:
    shown = AdoptedToken.objects.filter(is_refresh=True, used_at__isnull=False)
    live = Session.objects.filter(kind=SessionKind.PAIR).live(now=now)
    unproven = live.filter(proven_generation=0, generation__gt=F("first_generation"))
    return Status(
        unshown=live.filter(kid=KID).count(),
        shown=shown.count(),
        lately=shown.filter(used_at__gt=now - LATELY).count(),
        unproven=unproven.count(),
    )


def close(*, now: datetime) -> int:
    """
    Accept no token of the other package any more; return how many sessions ended with it.

    Those sessions have no token of ours that a denial would have to name.
    """
    Switch.objects.filter(closed_at=None).update(closed_at=now)
    rows = Session.objects.filter(kid=KID, ended_at=None)
    ended = 0
    while batch := list(rows.values_list("pk", flat=True)[:BATCH_SIZE]):
        ended += rows.filter(pk__in=batch).update(ended_at=now, end_reason=EndReason.REVOKED)
    signals.log("takeover_closed", count=ended)
    return ended


def what_changes(theirs: TheirSettings) -> Iterator[str]:
    """Yield what clients notice, one sentence each."""
    if conf.TOKENS_ROTATION == "on_proof":
        yield "A client that ignores new refresh tokens keeps its first one until that expires."
    elif not theirs.rotates:
        yield (
            'The former site did not rotate refresh tokens, and TOKENS_ROTATION is "always": a client that '
            'keeps its first one is signed out at its second refresh. Set it to "on_proof".'
        )
    if not theirs.rotates and conf.TOKENS_RETURN_REFRESH_TOKEN:
        yield (
            "Answers to a refresh have a new refresh token besides the access token. Clients may keep or "
            "ignore it. TOKENS_RETURN_REFRESH_TOKEN = False leaves it out."
        )
    if not theirs.rotates and not conf.TOKENS_RETURN_REFRESH_TOKEN:
        yield "Users sign in again when their first refresh token expires, as before."
    yield from _headers_refused(theirs)
    for name, before, here, setting in (
        ("access", theirs.access_lifetime, conf.TOKENS_ACCESS_LIFETIME, "TOKENS_ACCESS_LIFETIME"),
        (
            "refresh",
            theirs.refresh_lifetime,
            conf.TOKENS_REFRESH_LIFETIME,
            "TOKENS_REFRESH_LIFETIME",
        ),
    ):
        if before != here:
            yield (
                f"A new {name} token is valid for {_length(here)}, and was for {_length(before)} at the "
                f"former site. {setting} changes that."
            )
    yield (
        "A new password, a deactivation or a revocation now ends every session at once, and signs out "
        "the user's other devices."
    )


def _headers_refused(theirs: TheirSettings) -> Iterator[str]:
    """Yield what to set where clients send the access token in a way that is not accepted here."""
    schemes = theirs.given.get("AUTH_HEADER_TYPES", ["Bearer"])
    known = {scheme.lower() for scheme in conf.TOKENS_HEADER_TYPES}
    for scheme in [schemes] if isinstance(schemes, str) else schemes:
        if scheme.lower() not in known:
            yield (
                f'Requests with the scheme "{scheme}" before the token, as AUTH_HEADER_TYPES has it, are not '
                f'signed in: add "{scheme}" to TOKENS_HEADER_TYPES.'
            )
    key = theirs.given.get("AUTH_HEADER_NAME", "HTTP_AUTHORIZATION")
    header = key.removeprefix("HTTP_").replace("_", "-").title()
    if header.lower() != conf.TOKENS_HEADER_NAME.lower():
        yield (
            f"Tokens in the header {header}, which AUTH_HEADER_NAME names, are not read: set "
            f'TOKENS_HEADER_NAME to "{header}".'
        )


def _length(duration: timedelta) -> str:
    """Return the duration in words: days if it is a whole number of days, else hours and minutes."""
    days, rest = divmod(duration, timedelta(days=1))
    return str(duration) if rest else counted(days, "day")


def what_is_lost(theirs: TheirSettings, *, has_blacklist: bool) -> Iterator[str]:
    """Yield what cannot be carried over, one sentence each."""
    classes = str(theirs.given.get("AUTH_TOKEN_CLASSES", ""))
    if "Sliding" in classes:
        yield "Sliding tokens: their users sign in once more."
    if theirs.given.get("USER_AUTHENTICATION_RULE"):
        yield "USER_AUTHENTICATION_RULE: set TOKENS_USER_RULE to a function with the same rule."
    if theirs.given.get("CHECK_USER_IS_ACTIVE", True) is False:
        yield "CHECK_USER_IS_ACTIVE = False: inactive users are refused."
    if theirs.given.get("SIGNING_KEY", settings.SECRET_KEY) == settings.SECRET_KEY:
        yield (
            "SECRET_KEY signs the former tokens: if you change it before the switch is over, put the "
            'former one into SIMPLE_JWT["SIGNING_KEY"].'
        )
    if not has_blacklist:
        yield (
            "Single tokens: there are no tables of the blacklist app, so a revocation, a new password or a "
            "deactivation reaches all tokens of the user that were not shown yet, and no list shows them "
            "one by one."
        )
    yield "Sign-outs of the time after the switch are unknown to the former site, should you roll back."

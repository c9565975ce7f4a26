"""Every way to deny a token, in this process and in another."""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from tests.support.grace import be_used
from tests.support.processes import manage
from tokens import keyring, sessions, snapshot
from tokens.errors import TokenError
from tokens.jose import Claims
from tokens.models import DeniedToken, EndReason
from tokens.operations import revocation
from tokens.sessions import TokenPair
from tokens.snapshot.copy import Copy

BOUND = timedelta(seconds=60)
MODULE = "tests.projects.snapshot.settings"


class Clock:
    """Stands in for ``tokens.clock.elapsed``; it runs, and can skip."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def elapsed(self) -> float:
        return time.monotonic() + self._skipped

    def skip(self, period: timedelta) -> None:
        self._skipped += period.total_seconds()


clock = Clock()


def wait_for_the_bound(settings: Any) -> None:
    settings.TOKENS_DENYLIST_MAX_STALENESS = BOUND
    clock.skip(BOUND)


def deny_elsewhere(value: str, **columns: Any) -> None:
    """Insert a denial as another process does: without a call into this one."""
    now = timezone.now()
    until = now + timedelta(minutes=6)
    DeniedToken.objects.create(
        **{"kind": "sid", "reason": "?", "denied_at": now, "until": until, **columns}, value=value
    )


def revoke_in_another_process(pair: TokenPair) -> None:
    words = ["--session", str(pair.session.pk), "--reason", "stolen", "--noinput"]
    done = manage("revoke_tokens", *words, DJANGO_SETTINGS_MODULE=MODULE)
    assert done.returncode == 0, done.stdout + done.stderr


def is_good(copy: Copy, *ids: str, now: datetime | None = None) -> bool:
    """Return whether the copy knows nothing against a token with these ids, issued far ahead."""
    return copy.is_known_good(ids, subject="", issued_at=2**40, now=now or timezone.now())


def accepts(copy: Copy, claims: Claims, *, now: datetime | None = None) -> bool:
    """Return whether a process with this copy accepts the token without a query."""
    return copy.is_known_good(
        snapshot.ids_of(claims),
        subject=claims.sub,
        issued_at=claims.iat,
        now=now or timezone.now(),
    )


def end(pair: TokenPair) -> None:
    sessions.end([pair.session], reason=EndReason.REVOKED)


def revoke_access(pair: TokenPair) -> None:
    sessions.revoke(pair.raw_access)


def revoke_the_key(pair: TokenPair) -> None:
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))


def deactivate(pair: TokenPair) -> None:
    user = get_user_model().objects.get()
    user.is_active = False
    user.save()


def delete(pair: TokenPair) -> None:
    get_user_model().objects.all().delete()


def change_password(pair: TokenPair) -> None:
    user = get_user_model().objects.get()
    user.set_password("another")
    user.save()


def change_password_and_continue(pair: TokenPair) -> None:
    user = get_user_model().objects.get()
    user.set_password("another")
    sessions.change_password(user, keep=pair.session.pk)


def reuse(pair: TokenPair) -> None:
    now = timezone.now()
    for seconds in (0, 0, 60):
        be_used(pair)
        try:
            sessions.refresh(pair.raw_refresh, now=now + timedelta(seconds=seconds))
        except TokenError:
            return


def revoke_everything(pair: TokenPair) -> None:
    revocation.carry_out(revocation.everything(), note="leak")


def revoke_the_user(pair: TokenPair) -> None:
    revocation.carry_out(revocation.of_user("ada"), note="leak")


EVERY_DENIAL = [
    end,
    revoke_access,
    revoke_the_key,
    deactivate,
    delete,
    change_password,
    change_password_and_continue,
    reuse,
    revoke_everything,
    revoke_the_user,
]


def refusal(pair: TokenPair) -> type[TokenError]:
    with pytest.raises(TokenError) as caught:
        sessions.authenticate(pair.raw_access)
    return caught.type

"""Many tokens, and what can happen to one of them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model

from tokens import clock, denylist, sessions
from tokens.jose import Claims
from tokens.models import DeniedToken, Session
from tokens.secret import hide
from tokens.sessions import Accepted, EndReason, Presented

HOUR = timedelta(hours=1)
Act = Callable[[Claims], Any]


def sessions_of(*names: str) -> list[Claims]:
    users = get_user_model()._default_manager
    made = []
    for name in names:
        user = users.create_user(name, f"{name}@example.org", "one of the long kind")
        raw_access = hide(sessions.start(user).raw_access)
        made.append(sessions.read_claims(raw_access, now=clock.now()))
    return made


def judged(many: list[Presented], now: datetime | None = None) -> list[Any]:
    return list(sessions.judge_all(many, now=now or clock.now()))


def once_more(tokens: list[Claims], outcomes: list[Any]) -> list[Presented]:
    return [
        Presented(claims, outcome if isinstance(outcome, Accepted) else None)
        for claims, outcome in zip(tokens, outcomes, strict=True)
    ]


def of(claims: Claims) -> Any:
    return Session.objects.filter(pk=claims.sid)


def user_of(claims: Claims) -> Any:
    return get_user_model()._default_manager.filter(pk=claims.sub)


def change_password(claims: Claims) -> None:
    for user in user_of(claims):
        user.set_password("another one of the kind")
        user.save()


def give_to_another_user(claims: Claims) -> None:
    for other in get_user_model()._default_manager.exclude(pk=claims.sub)[:1]:
        of(claims).update(user=other)


def deny_key(claims: Claims) -> None:
    until = clock.now() + HOUR
    denylist.deny([(claims.kid, None)], kind=DeniedToken.Kind.KEY, reason="x", until=until)


def deny_token(claims: Claims) -> None:
    until = clock.now() + HOUR
    denylist.deny([(claims.jti, None)], kind=DeniedToken.Kind.TOKEN, reason="x", until=until)


def cut_off_user(claims: Claims) -> None:
    now = clock.now()
    if user_of(claims).exists():
        denylist.cut_off(now, user_id=claims.sub, reason="x", until=now + HOUR, now=now)


def cut_off_everyone(claims: Claims) -> None:
    now = clock.now()
    denylist.cut_off(now, reason="x", until=now + HOUR, now=now)


ACTS: dict[str, Act] = {
    "nothing": lambda claims: None,
    "end": lambda claims: sessions.end(of(claims), reason=EndReason.LOGOUT),
    "end silently": lambda claims: of(claims).update(
        ended_at=clock.now(), end_reason=EndReason.REVOKED
    ),
    "restore": lambda claims: of(claims).update(ended_at=None, end_reason=""),
    "limit the session": lambda claims: of(claims).update(
        started_at=clock.now() - 3 * HOUR,
        refreshed_at=clock.now() - 3 * HOUR,
        idle_until=clock.now() - HOUR,
        expires_at=clock.now() - HOUR,
    ),
    "refuse its generation": lambda claims: of(claims).update(first_generation=1, generation=1),
    "lose the auth hash": lambda claims: of(claims).update(auth_hash="x"),
    "give to another user": give_to_another_user,
    "deactivate": lambda claims: user_of(claims).update(is_active=False),
    "activate": lambda claims: user_of(claims).update(is_active=True),
    "change the password": change_password,
    "change the password silently": lambda claims: user_of(claims).update(password="x"),
    "delete the user": lambda claims: user_of(claims).delete(),
    "deny the key": deny_key,
    "deny the token": deny_token,
    "cut the user off": cut_off_user,
    "cut everyone off": cut_off_everyone,
    "take the denials back": lambda claims: DeniedToken.objects.all().delete(),
    "rename the user": lambda claims: user_of(claims).update(first_name="Ada"),
}

"""What a sign-in comes to when its user changes meanwhile, and what a session can be given."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractUser
from django.db import DatabaseError, OperationalError, transaction
from rest_framework.test import APIClient

from accounts.backends import AccountBackend
from tests.conftest import PASSWORD
from tests.support.hiding import hide_users
from tokens import keyring, sessions
from tokens.errors import ClaimsError, PasswordChanged, TokenError, UserGone, UserInactive
from tokens.models import DeniedToken, Session
from tokens.sessions import receivers

NOW = datetime(2030, 1, 1, tzinfo=UTC)
OTHER = "a rather different sentence"

pytestmark = pytest.mark.django_db


def change_password(user: Any) -> None:
    stored = type(user).objects.get(pk=user.pk)
    stored.set_password(OTHER)
    stored.save()


def deactivate(user: Any) -> None:
    type(user).objects.filter(pk=user.pk).update(is_active=False)


def delete(user: Any) -> None:
    type(user).objects.filter(pk=user.pk).delete()


FATES: dict[type[TokenError], Callable[[Any], None]] = {
    PasswordChanged: change_password,
    UserInactive: deactivate,
    UserGone: delete,
}


@pytest.mark.parametrize("error", FATES)
def test_nothing_comes_of_a_sign_in_whose_user_changes_meanwhile(
    user: Any, error: type[TokenError]
) -> None:
    FATES[error](user)
    with pytest.raises(error):
        sessions.start(user)
    assert not Session.objects.exists()


@pytest.mark.parametrize("error", FATES)
@pytest.mark.parametrize("mode", ["strict", "snapshot"])
def test_such_a_sign_in_is_answered_401(
    api: APIClient, user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, error: Any, mode: str
) -> None:
    settings.TOKENS_DENYLIST_MODE = mode
    check = AccountBackend.authenticate

    def change_after(*args: Any, **credentials: Any) -> Any:
        found = check(*args, **credentials)
        FATES[error](user)
        return found

    monkeypatch.setattr(AccountBackend, "authenticate", change_after)
    answer = api.post("/api/token/", {"username": "ada", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, "no_active_account")
    assert not Session.objects.exists()


def test_a_database_that_fails_during_a_sign_in_is_answered_503(
    api: APIClient, user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **how: Any) -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr(sessions, "start", fail)
    answer = api.post("/api/token/", {"username": "ada", "password": PASSWORD})
    assert answer.status_code == 503


@pytest.fixture
def plain_check(django_user_model: Any, monkeypatch: pytest.MonkeyPatch, user: Any) -> Any:
    """The user model's ``check_password`` as Django has it, over a hash of an older hasher."""
    monkeypatch.setattr(django_user_model, "check_password", AbstractUser.check_password)
    old = make_password(PASSWORD, hasher="pbkdf2_sha256")
    django_user_model.objects.filter(pk=user.pk).update(password=old)
    return old


@pytest.fixture
def _older_hasher(settings: Any) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]


def sign_in_with(user: Any, password: str) -> sessions.TokenPair | None:
    with receivers.password_attempt(password):
        if not user.check_password(password):
            return None
    return None if receivers.was_outdated(user) else sessions.start(user)


@pytest.mark.usefixtures("_older_hasher", "plain_check")
def test_sign_ins_that_upgrade_the_same_hash_at_once_all_stand(django_user_model: Any) -> None:
    loaded = [django_user_model.objects.get() for _ in range(4)]
    pairs = [sign_in_with(user, PASSWORD) for user in loaded]
    for pair in pairs:
        assert pair is not None
        sessions.authenticate(pair.raw_access)


@pytest.mark.usefixtures("_older_hasher", "plain_check")
def test_an_upgrade_that_another_one_overtakes_keeps_the_other_hash(
    django_user_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one commits after this one has read the old hash, and before it writes."""
    late, first = django_user_model.objects.get(), django_user_model.objects.get()
    pairs = []
    is_upgrade = receivers._is_upgrade

    def overtaken(former: str, current: str) -> bool:
        monkeypatch.setattr(receivers, "_is_upgrade", is_upgrade)
        pairs.append(sign_in_with(first, PASSWORD))
        return is_upgrade(former, current)

    monkeypatch.setattr(receivers, "_is_upgrade", overtaken)
    pairs.append(sign_in_with(late, PASSWORD))
    assert late.password == first.password
    for pair in pairs:
        assert pair is not None
        sessions.authenticate(pair.raw_access)


@pytest.mark.usefixtures("_older_hasher", "plain_check")
def test_an_upgrade_for_a_deleted_user_stores_nothing(django_user_model: Any) -> None:
    late = django_user_model.objects.get()
    django_user_model.objects.all().delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        sign_in_with(late, PASSWORD)
    assert not Session.objects.exists()


@pytest.mark.usefixtures("_older_hasher", "plain_check")
def test_an_upgrade_keeps_the_sessions_from_before_it(django_user_model: Any) -> None:
    before = sessions.start(django_user_model.objects.get())
    assert sign_in_with(django_user_model.objects.get(), PASSWORD)
    sessions.authenticate(before.raw_access)


@pytest.mark.usefixtures("_older_hasher", "plain_check")
def test_an_upgrade_puts_no_former_password_back(django_user_model: Any) -> None:
    late = django_user_model.objects.get()
    change_password(late)
    assert sign_in_with(late, PASSWORD) is None
    assert django_user_model.objects.get().check_password(OTHER)


@pytest.mark.usefixtures("_older_hasher", "plain_check")
def test_a_hash_that_a_project_stores_by_itself_is_a_new_password(django_user_model: Any) -> None:
    user = django_user_model.objects.get()
    sign_in_with(user, PASSWORD)
    pair = sessions.start(user)
    user.password = make_password(OTHER)
    user.save(update_fields=["password"])
    assert django_user_model.objects.get().check_password(OTHER)
    with pytest.raises(PasswordChanged):
        sessions.authenticate(pair.raw_access)


# Who may come in


def only_ada(user: Any) -> bool:
    return bool(user.username == "ada" and not user.last_name)


def test_a_rule_of_the_project_is_asked_at_sign_in_request_and_refresh(
    user: Any, settings: Any, django_user_model: Any
) -> None:
    settings.TOKENS_USER_RULE = f"{__name__}.only_ada"
    pair = sessions.start(user)
    sessions.authenticate(pair.raw_access)
    django_user_model.objects.update(last_name="blocked")
    user.refresh_from_db()
    for verb in (sessions.authenticate, sessions.refresh, sessions.start):
        with pytest.raises(UserInactive):
            verb(
                {sessions.authenticate: pair.raw_access, sessions.refresh: pair.raw_refresh}.get(
                    verb, user
                )
            )


def test_a_user_whom_the_default_manager_hides_is_gone(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = sessions.start(user)
    hide_users(monkeypatch, last_name="deleted")
    sessions.authenticate(pair.raw_access)
    type(user)._base_manager.update(last_name="deleted")
    for verb, raw in (
        (sessions.authenticate, pair.raw_access),
        (sessions.refresh, pair.raw_refresh),
    ):
        with pytest.raises(UserGone):
            verb(raw)
    with pytest.raises(UserGone):
        sessions.start(user)


def test_a_manager_decides_anew_at_each_request(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that finds the users of the current tenant only."""
    pair = sessions.start(user)
    hide_users(monkeypatch, username="grace")
    sessions.authenticate(pair.raw_access)
    hide_users(monkeypatch, username="ada")
    with pytest.raises(UserGone):
        sessions.authenticate(pair.raw_access)


# What a session can be given


def test_claims_of_a_session_are_in_each_of_its_access_tokens(user: Any) -> None:
    pair = sessions.start(user, claims={"tenant": "blue", "roles": ["a", "b"]})
    for _ in range(2):
        claims = sessions.authenticate(pair.raw_access).claims
        assert dict(claims.extra) == {"tenant": "blue", "roles": ["a", "b"]}
        pair = sessions.refresh(pair.raw_refresh)


def test_a_session_can_have_lifetimes_of_its_own(user: Any) -> None:
    hour, week = timedelta(hours=1), timedelta(days=7)
    pair = sessions.start(user, idle=hour, absolute=week, now=NOW)
    assert (pair.refresh_expires_at, pair.session.expires_at) == (NOW + hour, NOW + week)
    later = NOW + timedelta(minutes=30)
    pair = sessions.refresh(pair.raw_refresh, now=later)
    assert (pair.refresh_expires_at, pair.session.expires_at) == (later + hour, NOW + week)


def test_a_key_verifies_as_long_as_the_longest_session_needs(user: Any) -> None:
    year = timedelta(days=365)
    pair = sessions.start(user, idle=year, absolute=year, now=NOW)
    keyring.rotate(keyring.plan_rotation(now=NOW), now=NOW)
    sessions.refresh(pair.raw_refresh, now=NOW + timedelta(days=364))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", uuid4()),
        ("since", NOW),
        ("share", float("nan")),
        ("pair", (1, 2)),
        ("names", {1: "one"}),
        ("nested", [{"at": NOW}]),
        ("sub", "somebody else"),
        ("exp", 1),
    ],
)
def test_claims_that_no_token_can_hold_are_refused_by_their_name(
    user: Any, name: str, value: Any
) -> None:
    with pytest.raises(ClaimsError, match=name):
        sessions.start(user, claims={name: value})
    assert not Session.objects.exists()
    assert not DeniedToken.objects.exists()


def test_a_caller_may_choose_the_id_of_the_session(user: Any) -> None:
    first, second = uuid4(), uuid4()
    assert sessions.start(user, sid=first).session.pk == first
    assert sessions.issue_access_token(user, sid=second).session.pk == second
    assert set(Session.objects.values_list("pk", flat=True)) == {first, second}

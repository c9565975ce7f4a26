"""What happens to a user happens to their sessions, through whichever door."""

from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.hashers import make_password
from django.core.management import call_command

from tests.conftest import PASSWORD
from tokens import sessions
from tokens.errors import PasswordChanged, SessionEnded, UserInactive
from tokens.models import DeniedToken, EndReason, Session
from tokens.sessions import TokenPair

NEW_PASSWORD = "a rather different sentence"


@pytest.fixture
def pair(user: Any) -> TokenPair:
    return sessions.start(user)


def by_set_password(user: Any) -> None:
    user.set_password(NEW_PASSWORD)
    user.save()


def by_one_field(user: Any) -> None:
    user.set_password(NEW_PASSWORD)
    user.save(update_fields=["password"])


def by_unusable_password(user: Any) -> None:
    user.set_unusable_password()
    user.save(update_fields=["password"])


def by_admin_form(user: Any) -> None:
    form = AdminPasswordChangeForm(user, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert form.is_valid(), form.errors
    form.save()


def by_command(user: Any, monkeypatch: pytest.MonkeyPatch | None = None) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("getpass.getpass", lambda prompt: NEW_PASSWORD)
        call_command("changepassword", user.username, stdout=StringIO())


@pytest.mark.parametrize(
    "change", [by_set_password, by_one_field, by_unusable_password, by_admin_form, by_command]
)
def test_a_password_change_ends_the_sessions(user: Any, pair: TokenPair, change: Any) -> None:
    change(user)
    with pytest.raises(PasswordChanged):
        sessions.authenticate(pair.raw_access)
    with pytest.raises(PasswordChanged):
        sessions.refresh(pair.raw_refresh)
    assert Session.objects.get().end_reason == EndReason.PASSWORD_CHANGED
    assert DeniedToken.objects.get().value == str(pair.session.pk)


def test_the_old_password_again_does_not_revive_the_sessions(user: Any, pair: TokenPair) -> None:
    old = user.password
    by_set_password(user)
    user.password = old
    user.save()
    with pytest.raises(PasswordChanged):
        sessions.authenticate(pair.raw_access)


@pytest.mark.parametrize("fields", [None, ["last_login"], ["email", "first_name"]])
def test_other_changes_leave_the_sessions_alone(
    user: Any, pair: TokenPair, fields: list[str] | None
) -> None:
    user.email = "ada@example.net"
    user.save(update_fields=fields)
    sessions.authenticate(pair.raw_access)


def test_deactivating_ends_the_sessions_for_good(user: Any, pair: TokenPair) -> None:
    user.is_active = False
    user.save()
    with pytest.raises(UserInactive):
        sessions.authenticate(pair.raw_access)
    user.is_active = True
    user.save()
    with pytest.raises(SessionEnded):
        sessions.refresh(pair.raw_refresh)


def test_a_user_deactivated_behind_the_models_back_is_refused(user: Any, pair: TokenPair) -> None:
    type(user).objects.update(is_active=False)
    with pytest.raises(UserInactive):
        sessions.authenticate(pair.raw_access)
    with pytest.raises(UserInactive):
        sessions.refresh(pair.raw_refresh)


def test_a_bulk_delete_leaves_tombstones_too(user: Any, pair: TokenPair) -> None:
    type(user).objects.all().delete()
    assert DeniedToken.objects.get().value == str(pair.session.pk)
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "hashers",
    [
        ["PBKDF2PasswordHasher", "MD5PasswordHasher"],
        ["Argon2PasswordHasher", "PBKDF2PasswordHasher", "MD5PasswordHasher"],
    ],
)
def test_a_hash_upgrade_at_sign_in_keeps_the_sessions(
    user: Any, pair: TokenPair, settings: Any, hashers: list[str]
) -> None:
    former = user.password
    settings.PASSWORD_HASHERS = [f"django.contrib.auth.hashers.{name}" for name in hashers]
    upgraded = authenticate(username="ada", password=PASSWORD)
    assert upgraded is not None
    assert upgraded.password != former
    sessions.authenticate(pair.raw_access)
    sessions.refresh(pair.raw_refresh)


@pytest.mark.parametrize("change", [by_one_field, by_unusable_password])
def test_another_password_over_an_outdated_hash_is_no_upgrade(
    user: Any, pair: TokenPair, settings: Any, change: Any
) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    change(user)
    with pytest.raises(PasswordChanged):
        sessions.authenticate(pair.raw_access)


def test_a_first_password_over_an_unusable_one_is_no_upgrade(user: Any) -> None:
    by_unusable_password(user)
    pair = sessions.start(user)
    user.password = make_password(NEW_PASSWORD)
    user.save(update_fields=["password"])
    with pytest.raises(PasswordChanged):
        sessions.authenticate(pair.raw_access)


def test_a_hash_upgrade_does_not_carry_over_sessions_of_another_password(
    user: Any, settings: Any
) -> None:
    stale = sessions.start(user)
    Session.objects.update(auth_hash="of another password")
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    assert authenticate(username="ada", password=PASSWORD) is not None
    with pytest.raises(PasswordChanged):
        sessions.authenticate(stale.raw_access)


def test_loading_a_fixture_ends_nothing(user: Any, pair: TokenPair, tmp_path: Any) -> None:
    fixture = tmp_path / "users.json"
    call_command("dumpdata", "accounts.user", output=str(fixture), verbosity=0)
    call_command("loaddata", str(fixture), verbosity=0)
    sessions.authenticate(pair.raw_access)


class _OfUser:
    proxy = True
    app_label = "accounts"


def test_a_proxy_of_the_user_model_is_followed_like_the_model(user: Any, pair: TokenPair) -> None:
    """Django sends the signals of a proxy under the proxy's class."""
    names = {"__module__": "accounts.models", "Meta": _OfUser}
    proxy: Any = type("Member", (type(user),), names)
    try:
        apps.get_app_config("tokens").ready()
    finally:
        del apps.all_models["accounts"]["member"]
        apps.clear_cache()
    member = proxy.objects.get(pk=user.pk)
    for is_active in (False, True):
        member.is_active = is_active
        member.save()
    with pytest.raises(SessionEnded):
        sessions.authenticate(pair.raw_access)
    other = sessions.start(user)
    member.delete()
    assert DeniedToken.objects.filter(value=str(other.session.pk)).exists()

"""Change one's own password: this session moves to new tokens, and nothing earlier works."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from rest_framework.authentication import SessionAuthentication
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tokens import clock, keyring, sessions
from tokens.api import password_views
from tokens.api.password_views import PasswordChangeView
from tokens.errors import Denied, PasswordChanged, SessionEnded, TokenError, UserGone
from tokens.models import DeniedToken, EndReason, Session
from tokens.sessions import TokenPair, passwords, writes

NEW_PASSWORD = "a rather different sentence"
CHANGE = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
PATH = "/api/me/password/"

# Snapshot mode follows commits.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["strict", "snapshot"])
def mode(request: pytest.FixtureRequest, settings: Any) -> str:
    settings.TOKENS_DENYLIST_MODE = request.param
    return str(request.param)


@pytest.fixture
def pair(user: Any) -> TokenPair:
    keyring.ensure()
    return sessions.start(user)


def as_client(api: APIClient, access: str) -> APIClient:
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return api


def set_new_password(user: Any) -> None:
    user.set_password(NEW_PASSWORD)


def refused(call: Callable[[], Any]) -> type[TokenError] | None:
    try:
        call()
    except TokenError as error:
        return type(error)
    return None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "current_password"),
        ({"current_password": "wrong", "new_password": "a good long sentence"}, "current_password"),
        ({"current_password": PASSWORD, "new_password": "12345678"}, "new_password"),
        ({"current_password": PASSWORD, "new_password": "ada"}, "new_password"),
        ({"current_password": PASSWORD, "new_password": "x" * 5000}, "new_password"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(
    api: APIClient, pair: TokenPair, user: Any, body: dict[str, str], field: str
) -> None:
    answer = as_client(api, pair.raw_access).post(PATH, body)
    assert answer.status_code == 400
    assert field in answer.json()
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    sessions.authenticate(pair.raw_access)
    assert Session.objects.get().generation == 0


def test_a_change_requires_a_signed_in_user(api: APIClient) -> None:
    assert api.post(PATH, {}).status_code == 401


def test_a_change_whose_password_was_changed_meanwhile_is_refused(
    api: APIClient, pair: TokenPair, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a thief with the old password could overwrite the one that the owner just set."""

    def change_meanwhile(*_: Any) -> None:
        other = type(user).objects.get(pk=user.pk)
        other.set_password(NEW_PASSWORD)
        type(user).objects.filter(pk=user.pk).update(password=other.password)

    monkeypatch.setattr(password_views, "validate_password", change_meanwhile)
    body = {"current_password": PASSWORD, "new_password": "what the thief would like"}
    answer = as_client(api, pair.raw_access).post(PATH, body)
    assert (answer.status_code, list(answer.json())) == (400, ["current_password"])
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)


@pytest.mark.usefixtures("mode")
def test_the_answer_has_a_new_pair_and_every_earlier_token_is_refused_at_once(
    api: APIClient, user: Any
) -> None:
    """A thief may hold a copy of each token that the session ever had (case T7)."""
    keyring.ensure()
    now = clock.now()
    pairs = [sessions.start(user, now=now - timedelta(minutes=3))]
    for minutes in (2, 1):
        pairs.append(sessions.refresh(pairs[-1].raw_refresh, now=now - timedelta(minutes=minutes)))
    for pair in pairs:
        sessions.authenticate(pair.raw_access)
    answer = as_client(api, pairs[-1].raw_access).post(PATH, CHANGE)
    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "no-store"
    moved = answer.json()
    assert list(moved) == [
        "expires_in",
        "refresh_expires_in",
        "access",
        "refresh",
        "access_token",
        "refresh_token",
        "token_type",
    ]
    for pair in pairs:
        assert refused(lambda: sessions.authenticate(pair.raw_access)) is PasswordChanged  # noqa: B023
        for use in (sessions.refresh, sessions.verify, sessions.revoke):
            assert refused(lambda: use(pair.raw_refresh)) is PasswordChanged  # noqa: B023
        old = {"refresh": pair.raw_refresh}
        for path in ("token/refresh", "token/blacklist", "logout/all"):
            assert APIClient().post(f"/api/{path}/", old).status_code == 401
        assert as_client(api, pair.raw_access).get("/api/me/").status_code == 401
    assert as_client(api, moved["access"]).get("/api/me/").status_code == 200
    claims = sessions.authenticate(moved["access"]).claims
    assert claims.sid == pairs[0].session.pk
    assert api.post("/api/token/refresh/", {"refresh": moved["refresh"]}).status_code == 200


def test_the_session_keeps_its_id_its_limit_and_its_claims(api: APIClient, user: Any) -> None:
    keyring.ensure()
    started = clock.now() - timedelta(hours=1)
    pair = sessions.start(user, claims={"tenant": "blue"}, now=started)
    access = sessions.refresh(pair.raw_refresh).raw_access
    moved = as_client(api, access).post(PATH, CHANGE).json()
    claims = sessions.authenticate(moved["access"]).claims
    assert claims.extra == {"tenant": "blue"}
    assert Session.objects.get().expires_at == pair.session.expires_at


@pytest.mark.usefixtures("mode")
def test_the_other_sessions_end(api: APIClient, user: Any, pair: TokenPair) -> None:
    other = sessions.start(user)
    sessions.authenticate(other.raw_access)
    as_client(api, pair.raw_access).post(PATH, CHANGE)
    assert refused(lambda: sessions.authenticate(other.raw_access)) is PasswordChanged
    other.session.refresh_from_db()
    assert other.session.end_reason == EndReason.PASSWORD_CHANGED


@pytest.mark.usefixtures("mode")
def test_a_second_change_refuses_the_tokens_of_the_first(api: APIClient, pair: TokenPair) -> None:
    first = as_client(api, pair.raw_access).post(PATH, CHANGE).json()
    again = {"current_password": NEW_PASSWORD, "new_password": "one more sentence of mine"}
    second = as_client(api, first["access"]).post(PATH, again).json()
    assert refused(lambda: sessions.authenticate(first["access"])) is PasswordChanged
    sessions.authenticate(second["access"])


@pytest.mark.usefixtures("mode")
def test_a_refresh_that_loses_against_the_change_gets_nothing(
    user: Any, pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has judged the old row already, and reads the new one after it lost."""
    from tokens.sessions import refreshing

    def another_was_first(*_: Any) -> bool:
        user.set_password(NEW_PASSWORD)
        sessions.change_password(user, keep=pair.session.pk)
        return False

    monkeypatch.setattr(refreshing, "_rotate", another_was_first)
    assert refused(lambda: sessions.refresh(pair.raw_refresh)) is PasswordChanged
    assert Session.objects.get().ended_at is None


def test_the_answer_to_a_request_by_cookie_is_by_cookie(user: Any) -> None:
    keyring.ensure()
    browser = APIClient(enforce_csrf_checks=True)
    csrf = browser.get("/api/token/cookie/").json()["csrf_token"]
    browser.post(
        "/api/token/cookie/",
        {"username": "ada", "password": PASSWORD},
        headers={"X-CSRFToken": csrf},
    )
    old = browser.cookies["latchkey_access"].value
    answer = browser.post(PATH, CHANGE, headers={"X-CSRFToken": browser.cookies["csrftoken"].value})
    assert answer.status_code == 200, answer.content
    assert set(answer.json()) == {"expires_in", "refresh_expires_in"}
    assert browser.cookies["latchkey_access"].value != old
    assert browser.get("/api/me/").status_code == 200


def test_a_view_of_the_project_keeps_its_session_with_one_function(
    user: Any, pair: TokenPair
) -> None:
    set_new_password(user)
    moved = sessions.change_password(user, keep=pair.session.pk)
    sessions.authenticate(moved.raw_access)
    assert type(user).objects.get(pk=user.pk).check_password(NEW_PASSWORD)


def test_without_that_function_a_new_password_ends_every_session(
    user: Any, pair: TokenPair
) -> None:
    caller = sessions.authenticate(pair.raw_access).user
    set_new_password(caller)
    caller.save()
    assert refused(lambda: sessions.authenticate(pair.raw_access)) is PasswordChanged
    assert refused(lambda: sessions.refresh(pair.raw_refresh)) is PasswordChanged


def test_a_save_that_fails_changes_nothing(user: Any, pair: TokenPair) -> None:
    def save() -> None:
        set_new_password(user)
        user.save()
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        sessions.change_password(user, keep=pair.session.pk, save=save)
    sessions.authenticate(pair.raw_access)
    assert not DeniedToken.objects.exists()


def test_a_session_that_does_not_continue_cannot_be_kept(user: Any, pair: TokenPair) -> None:
    set_new_password(user)
    stranger = type(user).objects.create_user("eve")
    keep = pair.session.pk
    assert refused(lambda: sessions.change_password(stranger, keep=keep)) is UserGone
    sessions.end([pair.session], reason=EndReason.LOGOUT)
    assert refused(lambda: sessions.change_password(user, keep=keep)) is SessionEnded
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_refresh_at_the_same_time_only_delays_the_change(
    user: Any, pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotate, raw = writes.rotate_through_orm, [pair.raw_refresh]

    def refresh_first(*args: Any, **columns: Any) -> bool:
        if raw:
            sessions.refresh(raw.pop())
        return bool(rotate(*args, **columns))

    monkeypatch.setattr(writes, "rotate_through_orm", refresh_first)
    set_new_password(user)
    moved = sessions.change_password(user, keep=pair.session.pk)
    assert moved.session.generation == 2
    sessions.authenticate(moved.raw_access)
    monkeypatch.setattr(writes, "rotate_through_orm", lambda *_, **__: False)
    with pytest.raises(SessionEnded, match="at the same time"):
        sessions.change_password(user, keep=pair.session.pk)


def test_keys_that_are_revoked_at_the_same_time_end_the_session(
    user: Any, pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = passwords._read

    def revoke_next(*args: Any, **kwargs: Any) -> Session:
        session = read(*args, **kwargs)
        keyring.rotate(keyring.plan_rotation(revoke_previous=True))
        return session

    monkeypatch.setattr(passwords, "_read", revoke_next)
    set_new_password(user)
    with pytest.raises(Denied, match="was revoked"):
        sessions.change_password(user, keep=pair.session.pk)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_caller_without_a_token_keeps_only_djangos_own_session(
    user: Any, pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PasswordChangeView, "authentication_classes", [SessionAuthentication])
    browser = Client()
    browser.force_login(user)
    assert browser.post(PATH, CHANGE, content_type="application/json").status_code == 204
    assert "_auth_user_id" in browser.session
    assert browser.get(PATH).status_code == 405  # still signed in
    assert refused(lambda: sessions.authenticate(pair.raw_access)) is PasswordChanged


def test_a_caller_without_token_and_session_keeps_nothing(user: Any, pair: TokenPair) -> None:
    api = APIClient()
    api.force_authenticate(user)
    assert api.post(PATH, CHANGE).status_code == 204
    assert refused(lambda: sessions.authenticate(pair.raw_access)) is PasswordChanged

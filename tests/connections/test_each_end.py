"""Each row of the table in docs/connections.md, through open connections and the doors that people use."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.connections.held import claims_of
from tests.connections.opened import Loop, Opened, Socket, Stream, event_loop, stays_open
from tokens import sessions
from tokens.models import Session
from tokens.secret import hide
from tokens.sessions import TokenPair

pytestmark = [pytest.mark.usefixtures("registry"), pytest.mark.slow]


@pytest.fixture
def loop() -> Iterator[Loop]:
    with event_loop() as loop:
        yield loop


@pytest.fixture
def opened(loop: Loop, pair: TokenPair) -> Opened:
    return Opened(loop, pair)


@pytest.fixture
def other_device(loop: Loop, user: Any) -> Opened:
    """Return the connections of another session of the user."""
    return Opened(loop, sessions.start(user))


@pytest.fixture
def bystander(loop: Loop, django_user_model: Any) -> Opened:
    grace = django_user_model.objects.create_user("grace", "grace@example.org", PASSWORD)
    return Opened(loop, sessions.start(grace))


def client_of(pair: TokenPair) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    return client


def refresh(raw_refresh: str) -> Any:
    return APIClient().post("/api/token/refresh/", {"refresh": raw_refresh})


def test_a_sign_out_ends_the_connections_of_its_session(
    opened: Opened, other_device: Opened, bystander: Opened
) -> None:
    assert client_of(opened.pair).post("/api/logout/").status_code == 204
    assert opened.end() == "session_ended"
    assert other_device.stays_open()
    assert bystander.stays_open()


def test_a_user_ends_the_connections_of_another_device(
    opened: Opened, other_device: Opened
) -> None:
    path = f"/api/sessions/{other_device.pair.session.pk}/"
    assert client_of(opened.pair).delete(path).status_code == 204
    assert other_device.end() == "session_ended"
    assert opened.stays_open()


def test_staff_revokes_a_session_in_the_admin(
    opened: Opened, other_device: Opened, admin_client: Client
) -> None:
    page = reverse("admin:tokens_session_revoke", args=[opened.pair.session.pk])
    assert admin_client.post(page, {"reason": "phone lost"}).status_code == 302
    assert opened.end() == "session_ended"
    assert other_device.stays_open()


def test_a_refresh_token_that_is_used_again_ends_the_connections(
    opened: Opened, other_device: Opened, settings: Any
) -> None:
    settings.TOKENS_REFRESH_GRACE = timedelta(0)
    second = refresh(opened.pair.raw_refresh).json()
    refresh(second["refresh"])
    assert opened.stays_open()
    assert refresh(opened.pair.raw_refresh).status_code == 401
    assert opened.end() == "session_ended"
    assert other_device.stays_open()


def test_a_new_password_ends_the_connections_of_every_session(
    opened: Opened, other_device: Opened, bystander: Opened
) -> None:
    body = {"current_password": PASSWORD, "new_password": "another one of the kind"}
    assert client_of(opened.pair).post("/api/me/password/", body).status_code == 200
    assert other_device.end() == "session_ended"
    assert opened.end() == "session_ended"  # Its session goes on, with the new pair.
    assert Session.objects.get(pk=opened.pair.session.pk).ended_at is None
    assert bystander.stays_open()


def test_a_user_who_is_deactivated_loses_every_connection(
    opened: Opened, other_device: Opened, bystander: Opened, user: Any
) -> None:
    user.is_active = False
    user.save()
    assert opened.end() == other_device.end() == "user_refused"
    assert bystander.stays_open()


def test_a_user_who_is_deleted_loses_every_connection(
    opened: Opened, other_device: Opened, bystander: Opened, user: Any
) -> None:
    user.delete()
    assert opened.end() == other_device.end() == "user_refused"
    assert bystander.stays_open()


def test_a_user_who_signs_out_everywhere_loses_every_connection(
    opened: Opened, other_device: Opened, bystander: Opened
) -> None:
    assert client_of(opened.pair).post("/api/logout/all/").status_code == 204
    assert opened.end() == other_device.end() == "session_ended"
    assert bystander.stays_open()


def test_the_cut_off_of_a_user_ends_every_connection_of_theirs(
    opened: Opened, other_device: Opened, bystander: Opened, user: Any
) -> None:
    sessions.revoke_user(user, note="stolen")
    assert opened.end() == other_device.end() == "session_ended"
    assert bystander.stays_open()


def test_the_cut_off_of_everything_ends_every_connection(opened: Opened, bystander: Opened) -> None:
    sessions.revoke_everything(note="stolen")
    assert opened.end() == bystander.end() == "token_denied"


def test_an_access_token_that_is_revoked_ends_its_connections(
    opened: Opened, other_device: Opened
) -> None:
    body = {"token": opened.pair.raw_access}
    assert APIClient().post("/api/token/revoke/", body).status_code == 200
    assert opened.end() == "token_denied"
    assert other_device.stays_open()


def test_a_revoked_key_ends_every_connection_and_a_replaced_one_ends_none(
    opened: Opened, bystander: Opened
) -> None:
    call_command("rotate_secret", interactive=False)
    assert opened.stays_open()
    call_command("rotate_secret", revoke_previous=True, reason="leaked", interactive=False)
    assert opened.end() == bystander.end() == "token_denied"


def test_a_refresh_ends_no_connection(opened: Opened, settings: Any) -> None:
    settings.TOKENS_REFRESH_GRACE = timedelta(0)
    second = refresh(opened.pair.raw_refresh).json()
    assert refresh(second["refresh"]).status_code == 200
    assert opened.stays_open()


def test_an_expired_token_ends_its_connections_after_the_grace(
    loop: Loop, registry: Any, user: Any, settings: Any, frozen_clock: Any
) -> None:
    settings.TOKENS_CONNECTION_EXPIRY_GRACE = timedelta(seconds=30)
    opened = Opened(loop, sessions.start(user))
    frozen_clock.shift(timedelta(seconds=329))
    assert opened.stays_open()
    frozen_clock.shift(timedelta(seconds=2))
    assert opened.end() == "token_expired"


def test_a_token_of_a_refresh_keeps_a_websocket_open_for_as_long_as_that_token(
    loop: Loop, registry: Any, user: Any, settings: Any, frozen_clock: Any
) -> None:
    settings.TOKENS_CONNECTION_EXPIRY_GRACE = timedelta(seconds=30)
    pair = sessions.start(user)
    renewed, left_alone = Socket(loop, pair), Socket(loop, pair)
    frozen_clock.shift(timedelta(seconds=100))
    renewed.connection.renew(claims_of(sessions.refresh(hide(pair.raw_refresh))))
    frozen_clock.shift(timedelta(seconds=231))
    assert left_alone.end() == "The access token has expired. Connect with a new one."
    assert stays_open(renewed)
    frozen_clock.shift(timedelta(seconds=100))
    assert renewed.end() == "The access token has expired. Connect with a new one."


def test_a_session_that_reaches_its_limit_loses_its_connections(
    loop: Loop, registry: Any, user: Any, frozen_clock: Any
) -> None:
    opened = Opened(loop, sessions.start(user, absolute=timedelta(seconds=60)))
    frozen_clock.shift(timedelta(seconds=75))  # TOKENS_LEEWAY has passed, and no grace.
    assert opened.end() == "session_ended"


refused_names: set[str] = set()


def lets_in(user: Any) -> bool:
    return user.get_username() not in refused_names


def test_a_user_whom_the_rule_of_the_project_refuses_loses_every_connection(
    loop: Loop, pair: TokenPair, settings: Any, monkeypatch: pytest.MonkeyPatch, request: Any
) -> None:
    settings.TOKENS_USER_RULE = f"{__name__}.lets_in"
    opened, bystander = Opened(loop, pair), request.getfixturevalue("bystander")
    assert opened.stays_open()
    monkeypatch.setattr(f"{__name__}.refused_names", {"ada"})
    assert opened.end() == "user_refused"
    assert bystander.stays_open()


def test_while_the_database_is_away_connections_end_where_the_project_wants_it(
    opened: Opened, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("the server closed the connection")

    settings.TOKENS_CONNECTIONS_WITHOUT_DATABASE = "close"
    monkeypatch.setattr(sessions, "judge_all", away)
    assert opened.end() == "unavailable"


def test_what_has_ended_before_the_stream_begins_is_not_streamed(
    loop: Loop, pair: TokenPair
) -> None:
    sessions.revoke(pair.raw_refresh)
    assert Stream(loop, pair).end() == "session_ended"

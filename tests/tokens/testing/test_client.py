"""What ``TokenClient`` sends, and what its methods do to the session."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tests.tokens.testing.conftest import SignIn, status
from tokens import sessions
from tokens.conf import conf
from tokens.errors import Denied, Expired, RefreshTokenReused, SessionEnded, UserInactive
from tokens.models import EndReason, Session, SigningKey
from tokens.testing import TokenClient, sign_in, write_notes


def test_a_sign_in_hashes_no_password_and_sends_no_request(
    user: Any, token_client: TokenClient
) -> None:
    user.set_unusable_password()
    user.save()
    token_client.request = None  # type: ignore[assignment,method-assign]
    token_client.sign_in(user)
    del token_client.request
    assert status(token_client) == 200


def test_the_session_has_the_claims_the_limits_and_the_client(user: Any) -> None:
    client = TokenClient(REMOTE_ADDR="203.0.113.7", HTTP_USER_AGENT="a phone")
    client.sign_in(
        user, claims={"tenant": "blue"}, idle=timedelta(hours=1), absolute=timedelta(hours=8)
    )
    row = client.held.session if client.held else None
    assert row is not None
    assert (row.claims, row.idle_lifetime) == ({"tenant": "blue"}, timedelta(hours=1))
    assert row.expires_at - row.started_at == timedelta(hours=8)
    assert (row.ip_address, row.user_agent) == ("203.0.113.7", "a phone")


def test_a_user_who_may_not_come_in_is_refused(user: Any, sign_in: SignIn) -> None:
    user.is_active = False
    user.save()
    with pytest.raises(UserInactive):
        sign_in(user)


def test_a_header_of_the_test_replaces_the_clients_own(user: Any, sign_in: SignIn) -> None:
    grace = get_user_model().objects.create_user("grace", "grace@example.org")
    client, other = sign_in(user), sign_in(grace)
    token = f"Bearer {other.pair.raw_access}"
    assert client.get("/api/me/", HTTP_AUTHORIZATION=token).json()["username"] == "grace"
    assert client.get("/api/me/", headers={"Authorization": token}).json()["username"] == "grace"
    assert client.get("/api/me/").json()["username"] == "ada"


def test_cookies_are_sent_with_the_csrf_token(user: Any) -> None:
    client = TokenClient(enforce_csrf_checks=True)
    client.sign_in_by_cookie(user)
    assert status(client) == 200
    assert client.post("/api/logout/").status_code == 204
    without = TokenClient(enforce_csrf_checks=True)
    without.sign_in_by_cookie(user)
    assert without.post("/api/logout/", HTTP_X_CSRFTOKEN="").status_code == 403


def test_another_sign_in_replaces_the_first(user: Any, token_client: TokenClient) -> None:
    grace = get_user_model().objects.create_user("grace", "grace@example.org")
    token_client.sign_in_by_cookie(user)
    token_client.sign_in(grace)
    assert token_client.get("/api/me/").json()["username"] == "grace"
    assert "latchkey_access" not in token_client.cookies


@pytest.mark.parametrize("how", ["sign_in", "sign_in_by_cookie"])
def test_after_a_sign_out_no_token_is_sent(user: Any, token_client: TokenClient, how: str) -> None:
    pair = getattr(token_client, how)(user)
    token_client.sign_out()
    answer = token_client.get("/api/me/")
    assert answer.status_code == 401
    assert "invalid_token" not in answer["WWW-Authenticate"]
    row = Session.objects.get(pk=pair.session.pk)
    assert row.end_reason == EndReason.LOGOUT


def test_logout_of_the_api_client_leaves_the_session_alone(
    user: Any, token_client: TokenClient
) -> None:
    pair = token_client.sign_in(user)
    token_client.logout()
    assert status(token_client) == 401
    assert sessions.authenticate(pair.raw_access)


def test_a_client_that_is_not_signed_in_says_so(token_client: TokenClient) -> None:
    for method in (token_client.refresh, token_client.expire_access, token_client.revoke):
        with pytest.raises(RuntimeError, match="sign_in"):
            method()


@pytest.mark.parametrize("how", ["sign_in", "sign_in_by_cookie"])
def test_an_expired_access_token_is_refused_and_a_refresh_gets_another(
    user: Any, token_client: TokenClient, how: str
) -> None:
    getattr(token_client, how)(user)
    token_client.expire_access()
    answer = token_client.get("/api/me/")
    assert answer.status_code == 401
    assert "invalid_token" in answer["WWW-Authenticate"]
    former = token_client.pair
    assert token_client.refresh() != former
    assert status(token_client) == 200


def test_a_token_that_has_expired_does_not_become_older(
    user: Any, token_client: TokenClient
) -> None:
    token_client.sign_in(user)
    token_client.expire_access()
    former = token_client.pair.access_expires_at
    token_client.expire_access()
    assert token_client.pair.access_expires_at == former


def test_an_access_token_of_the_last_second_is_accepted(user: Any, sign_in: SignIn) -> None:
    client = sign_in(user)
    client.age(conf.TOKENS_ACCESS_LIFETIME - timedelta(seconds=2))
    assert status(client) == 200


@pytest.mark.parametrize("how", ["expire_refresh", "expire_session"])
def test_an_expired_session_is_refused_everywhere(
    user: Any, sign_in: SignIn, token_client: TokenClient, how: str
) -> None:
    client = sign_in(user)
    getattr(client, how)()
    assert status(client) == 401
    with pytest.raises(Expired):
        client.refresh()
    assert not Session.objects.live(now=datetime.now(UTC)).exists()


def test_a_session_at_its_absolute_limit_was_refreshed_until_then(
    user: Any, sign_in: SignIn
) -> None:
    client = sign_in(user, absolute=timedelta(days=20))
    client.age(timedelta(days=10))
    client.refresh()
    client.expire_session()
    assert client.held is not None
    assert client.held.session.expires_at < datetime.now(UTC)
    assert status(client) == 401


def test_another_session_does_not_become_older(user: Any, sign_in: SignIn) -> None:
    client, other = sign_in(user), sign_in(user)
    client.expire_session()
    assert status(other) == 200


def test_a_session_that_began_after_a_cut_off_can_become_older(user: Any, sign_in: SignIn) -> None:
    before = sign_in(user)
    sessions.revoke_user(user, note="a phone was lost")
    after = sign_in(user)
    after.age(timedelta(minutes=2))
    assert status(after) == 200
    before.age(timedelta(minutes=2))
    assert status(before) == 401


def test_a_superseded_pair_stays_superseded_when_it_becomes_older(
    user: Any, sign_in: SignIn
) -> None:
    client = sign_in(user)
    thief = APIClient()
    answer = thief.post("/api/token/refresh/", {"refresh": client.pair.raw_refresh}).json()
    thief.credentials(HTTP_AUTHORIZATION=f"Bearer {answer['access']}")
    assert status(thief) == 200
    client.age(timedelta(minutes=1))
    with pytest.raises(RefreshTokenReused):
        client.refresh()


def test_a_repeated_answer_becomes_older_too(user: Any, sign_in: SignIn) -> None:
    client = sign_in(user)
    client.refresh()
    client.refresh()
    assert client.held is not None
    former = client.held.session.repeated_at
    client.age(timedelta(minutes=1))
    row = client.held.session
    assert former is not None
    assert row.repeated_at == former - timedelta(minutes=1)


def test_a_refresh_within_the_grace_gets_the_same_pair_as_in_production(
    user: Any, sign_in: SignIn
) -> None:
    client = sign_in(user)
    first = client.refresh().raw_refresh
    assert client.refresh().raw_refresh == first
    client.age(timedelta(minutes=1))
    assert client.refresh().raw_refresh != first


def test_a_revoked_access_token_leaves_its_session(user: Any, sign_in: SignIn) -> None:
    client = sign_in(user)
    client.revoke_access()
    assert status(client) == 401
    with pytest.raises(Denied):
        sessions.authenticate(client.pair.raw_access)
    client.refresh()
    assert status(client) == 200


def test_a_revoked_session_is_one_of_several(user: Any, sign_in: SignIn) -> None:
    client, other = sign_in(user), sign_in(user)
    client.revoke()
    assert (status(client), status(other)) == (401, 200)
    with pytest.raises(SessionEnded):
        client.refresh()
    other.revoke_user()
    assert status(other) == 401


def test_every_client_can_send_what_a_session_holds(user: Any, client: Any) -> None:
    held = sign_in(user)
    assert client.get("/api/me/", headers=held.headers).status_code == 200
    client.cookies.load(held.cookies)
    assert client.get("/api/me/").status_code == 200
    held.revoke()
    assert client.get("/api/me/").status_code == 401


def test_a_sign_in_creates_the_key_that_a_flushed_database_lacks(user: Any) -> None:
    SigningKey.objects.all().delete()
    assert sign_in(user).session.kid == SigningKey.objects.get(state="signing").kid


def test_no_repr_shows_a_token(user: Any, sign_in: SignIn) -> None:
    client = sign_in(user)
    for shown in (repr(client.held), repr(client), repr(client.pair)):
        assert client.pair.raw_access not in shown
        assert client.pair.raw_refresh not in shown


def test_notes_are_written_by_hand(user: Any, sign_in: SignIn) -> None:
    client = sign_in(user)
    status(client)
    assert client.held is not None
    assert not client.held.session.seen
    with CaptureQueriesContext(
        connection,
    ) as queries:
        write_notes()
    assert len(queries) == 1
    assert client.held.session.seen

"""A user lists and ends their own sessions over the API."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from rest_framework.test import APIClient

from tests.wire.conftest import SignIn
from tokens import sessions
from tokens.models import EndReason, Session, SessionKind


def test_my_sessions_are_mine_and_live(user: Any, bearer: SignIn, django_user_model: Any) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    mine = sessions.start(user, client=sessions.Client("192.0.2.1", agent))
    older = sessions.start(user, now=datetime.now(UTC) - timedelta(days=1))
    ended = sessions.start(user)
    sessions.revoke(ended.raw_refresh)
    sessions.start(user, now=datetime.now(UTC) - timedelta(days=15))
    sessions.start(django_user_model.objects.create_user("bob", "bob@example.org"))
    found = bearer(mine.raw_access).get("/api/sessions/").json()["results"]
    assert [row["id"] for row in found] == [str(mine.session.pk), str(older.session.pk)]
    assert [row["current"] for row in found] == [True, False]
    assert found[0]["device"] == "Firefox on Linux"
    assert found[0]["ip_address"] == "192.0.2.1"
    assert found[0].keys() == {
        "id",
        "device",
        "ip_address",
        "started_at",
        "refreshed_at",
        "expires_at",
        "current",
        "kind",
        "name",
        "last_ip_address",
        "idle_until",
    }


def test_my_sessions_come_in_pages(user: Any, bearer: SignIn) -> None:
    pairs = [sessions.start(user) for _ in range(51)]
    client = bearer(pairs[0].raw_access)
    page = client.get("/api/sessions/").json()
    assert len(page["results"]) == 50
    rest = client.get(page["next"]).json()
    assert len(rest["results"]) == 1
    assert rest["next"] is None


def test_a_user_ends_their_own_sessions_only(
    user: Any, bearer: SignIn, django_user_model: Any
) -> None:
    bob = django_user_model.objects.create_user("bob", "bob@example.org")
    mine, other, bobs = sessions.start(user), sessions.start(user), sessions.start(bob)
    client = bearer(mine.raw_access)
    path = f"/api/sessions/{other.session.pk}/"
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404
    assert client.delete(f"/api/sessions/{bobs.session.pk}/").status_code == 404
    assert client.delete(f"/api/sessions/{uuid4()}/").status_code == 404
    assert client.delete("/api/sessions/not-a-uuid/").status_code == 404
    sessions.authenticate(bobs.raw_access)
    assert bearer(other.raw_access).get("/api/me/").status_code == 401


def test_whom_another_class_authenticated_sees_their_sessions_too(
    api: APIClient, signed_in: dict[str, Any], user: Any
) -> None:
    api.force_authenticate(user)
    assert [one["current"] for one in api.get("/api/sessions/").json()["results"]] == [False]


def test_the_list_says_when_a_session_ends_if_unused_and_whence_it_was_refreshed(
    user: Any, bearer: SignIn
) -> None:
    pair = sessions.start(user, client=sessions.Client("192.0.2.1"))
    later = datetime.now(UTC) + timedelta(minutes=1)
    sessions.refresh(pair.raw_refresh, client=sessions.Client("198.51.100.2"), now=later)
    (row,) = bearer(pair.raw_access).get("/api/sessions/").json()["results"]
    assert (row["ip_address"], row["last_ip_address"]) == ("192.0.2.1", "198.51.100.2")
    assert datetime.fromisoformat(row["idle_until"]) == later + timedelta(days=14)
    assert row["name"] == ""


def test_a_user_names_their_own_devices_only(
    user: Any, bearer: SignIn, django_user_model: Any
) -> None:
    bob = django_user_model.objects.create_user("bob", "bob@example.org")
    mine, bobs = sessions.start(user), sessions.start(bob)
    client = bearer(mine.raw_access)
    path = f"/api/sessions/{mine.session.pk}/"
    # The override of the direction would turn the words after it.
    answer = client.patch(path, {"name": " My \u202ephone "})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert (answer.json()["id"], answer.json()["name"]) == (str(mine.session.pk), "My phone")
    assert client.get("/api/sessions/").json()["results"][0]["name"] == "My phone"
    assert client.patch(path, {}).json()["name"] == "My phone"
    assert client.patch(path, {"name": ""}).json()["name"] == ""
    assert client.patch(path, {"name": "x" * 61}).json().keys() == {"name"}
    assert client.patch(f"/api/sessions/{bobs.session.pk}/", {"name": "x"}).status_code == 404
    bobs.session.refresh_from_db()
    assert bobs.session.device_name == ""


def test_a_session_that_has_ended_keeps_its_name(user: Any) -> None:
    session = sessions.start(user).session
    sessions.end([session], reason=EndReason.LOGOUT)
    sessions.name_device(session, "too late")
    session.refresh_from_db()
    assert session.device_name == ""


def test_signing_out_all_other_devices_keeps_this_session_alone(
    user: Any, bearer: SignIn, django_user_model: Any
) -> None:
    bob = django_user_model.objects.create_user("bob", "bob@example.org")
    mine, bobs = sessions.start(user), sessions.start(bob)
    others = [sessions.start(user) for _ in range(3)]
    client = bearer(mine.raw_access)
    assert client.post("/api/logout/others/").status_code == 204
    sessions.authenticate(bobs.raw_access)
    assert [row["current"] for row in client.get("/api/sessions/").json()["results"]] == [True]
    for other in others:
        other.session.refresh_from_db()
        assert other.session.end_reason == EndReason.LOGOUT
        assert bearer(other.raw_access).get("/api/me/").status_code == 401


def test_signing_other_devices_out_requires_a_session(api: APIClient, user: Any) -> None:
    pair = sessions.start(user)
    assert api.post("/api/logout/others/").status_code == 401
    sessions.end([pair.session], reason=EndReason.REVOKED)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    assert api.post("/api/logout/others/").status_code == 401


def test_this_browsers_session_of_django_is_of_this_device_too(user: Any) -> None:
    browser, elsewhere = APIClient(), APIClient()
    for one in (browser, elsewhere):
        one.force_login(user)
        one.get("/admin/login/")
    kinds = Session.objects.filter(kind=SessionKind.DJANGO, ended_at=None)
    assert kinds.count() == 2
    browser.credentials(HTTP_AUTHORIZATION=f"Bearer {sessions.start(user).raw_access}")
    page = browser.get("/api/sessions/", HTTP_ACCEPT="text/html").content.decode()
    assert page.count("This device") == 2
    assert browser.post("/api/logout/others/").status_code == 204
    (kept,) = kinds
    assert str(kept.pk) == browser.session["_tokens_sid"]


def test_a_token_of_one_user_gives_a_session_of_django_no_row_of_that_user(
    user: Any, django_user_model: Any
) -> None:
    bob = django_user_model.objects.create_user("bob", "bob@example.org")
    browser = APIClient()
    browser.force_login(bob)  # as before the middleware was installed: without a row
    browser.credentials(HTTP_AUTHORIZATION=f"Bearer {sessions.start(user).raw_access}")
    assert browser.post("/api/logout/others/").status_code == 204
    assert not Session.objects.filter(kind=SessionKind.DJANGO).exists()

"""The API's answers beyond simplejwt's: revoke, introspect, sign out, sessions, keys, health."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from config.errors import csrf_failure
from tests.conftest import PASSWORD
from tests.support.grace import rotate_twice
from tokens import keyring, sessions
from tokens.models import EndReason, Session, SigningKey

SignIn = Callable[[str], APIClient]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/token/", {"username": "ada", "password": PASSWORD}),
        ("/api/token/", {"username": "ada", "password": "wrong"}),
        ("/api/token/refresh/", {"refresh": "garbage"}),
        ("/api/token/verify/", {"token": "garbage"}),
        ("/api/token/introspect/", {"token": "garbage"}),
        ("/api/token/revoke/", {"token": "garbage"}),
    ],
)
def test_answers_about_tokens_are_stored_nowhere(
    api: APIClient, user: Any, path: str, body: dict[str, str]
) -> None:
    assert api.post(path, body)["Cache-Control"] == "no-store"


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
def test_revoke_answers_200_whatever_the_token_is(api: APIClient, db: None, hint: str) -> None:
    answer = api.post("/api/token/revoke/", {"token": "garbage", "token_type_hint": hint})
    assert (answer.status_code, answer.json()) == (200, {})
    assert api.post("/api/token/revoke/", {}).status_code == 400


def test_revoking_twice_is_fine(api: APIClient, signed_in: dict[str, Any]) -> None:
    for _ in range(2):
        answer = api.post("/api/token/revoke/", {"token": signed_in["refresh"]})
        assert (answer.status_code, answer.json()) == (200, {})


def test_a_revoked_refresh_token_takes_its_access_tokens_along(
    api: APIClient, signed_in: dict[str, Any], bearer: SignIn
) -> None:
    api.post("/api/token/revoke/", {"token": signed_in["refresh"]})
    assert bearer(signed_in["access"]).get("/api/me/").status_code == 401


def test_a_revoked_access_token_leaves_the_session(
    api: APIClient, signed_in: dict[str, Any], bearer: SignIn
) -> None:
    api.post("/api/token/revoke/", {"token": signed_in["access"]})
    assert bearer(signed_in["access"]).get("/api/me/").status_code == 401
    refreshed = api.post("/api/token/refresh/", {"refresh": signed_in["refresh"]}).json()
    assert bearer(refreshed["access"]).get("/api/me/").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/token/", {"username": "ada", "password": PASSWORD}),
        ("/api/token/revoke/", {"token": "garbage"}),
    ],
)
@pytest.mark.parametrize("header", ["Bearer stale", "Bearer", "Bearer a b", "\u00fc"])
def test_a_stale_header_never_stands_in_the_way(
    api: APIClient, user: Any, path: str, body: dict[str, str], header: str
) -> None:
    api.credentials(HTTP_AUTHORIZATION=header)
    assert api.post(path, body).status_code == 200


def test_introspection_is_for_those_with_the_permission(
    api: APIClient, user: Any, bearer: SignIn
) -> None:
    body = {"token": "garbage"}
    anonymous = api.post("/api/token/introspect/", body)
    assert anonymous.status_code == 401
    assert anonymous["WWW-Authenticate"] == 'Bearer realm="api"'
    pair = sessions.start(user)
    client = bearer(pair.raw_access)
    assert client.post("/api/token/introspect/", body).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="introspect_token"))
    answer = client.post("/api/token/introspect/", body)
    assert (answer.status_code, answer.json()) == (200, {"active": False})
    active = client.post("/api/token/introspect/", {"token": pair.raw_access}).json()
    claims = sessions.verify(pair.raw_access).claims
    assert active == {"active": True, **claims.as_json()}
    sessions.revoke(sessions.start(user).raw_refresh)
    revoked = sessions.start(user)
    sessions.revoke(revoked.raw_refresh)
    answer = client.post("/api/token/introspect/", {"token": revoked.raw_refresh})
    assert answer.json() == {"active": False}


@pytest.mark.parametrize("everywhere", [False, True])
def test_signing_out(api: APIClient, user: Any, bearer: SignIn, everywhere: bool) -> None:
    mine, other = sessions.start(user), sessions.start(user)
    answer = bearer(mine.raw_access).post("/api/logout/all/" if everywhere else "/api/logout/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert bearer(mine.raw_access).get("/api/me/").status_code == 401
    expected = 401 if everywhere else 200
    assert bearer(other.raw_access).get("/api/me/").status_code == expected


@pytest.mark.parametrize("path", ["/api/logout/", "/api/logout/all/"])
def test_signing_out_works_with_an_expired_access_token_and_a_refresh_token(
    bearer: SignIn, expired: sessions.TokenPair, path: str
) -> None:
    client = bearer(expired.raw_access)
    assert client.post(path).status_code == 401
    assert client.post(path, {"refresh": expired.raw_refresh}).status_code == 204
    assert Session.objects.get().ended_at is not None


@pytest.mark.parametrize("path", ["/api/logout/", "/api/logout/all/"])
def test_signing_out_without_any_token_is_refused(api: APIClient, db: None, path: str) -> None:
    answer = api.post(path)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Authentication credentials were not provided."}
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


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
    }


def test_my_sessions_come_in_pages(user: Any, bearer: SignIn) -> None:
    pairs = [sessions.start(user) for _ in range(51)]
    client = bearer(pairs[0].raw_access)
    page = client.get("/api/sessions/").json()
    assert len(page["results"]) == 50
    rest = client.get(page["next"]).json()
    assert len(rest["results"]) == 1
    assert rest["next"] is None


def test_i_end_my_own_sessions_and_nobody_elses(
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


def test_who_i_am(user: Any, bearer: SignIn) -> None:
    answer = bearer(sessions.start(user).raw_access).get("/api/me/").json()
    assert (answer["id"], answer["username"]) == (str(user.pk), "ada")
    assert "password" not in answer


def test_hmac_keys_are_never_published(api: APIClient, db: None) -> None:
    answer = api.get("/.well-known/jwks.json")
    assert answer.json() == {"keys": []}
    assert answer["Content-Type"] == "application/jwk-set+json"
    assert answer["Cache-Control"] == "public, no-cache"


def test_ready_means_that_the_key_ring_opens(api: APIClient, db: None, settings: Any) -> None:
    assert api.get("/healthz").json() == {"status": "ok"}
    assert api.get("/readyz").status_code == 200
    settings.TOKENS_SECRET = "not the one that sealed the ring, 0123456789"
    answer = api.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["key_ring"] == "unavailable"
    assert api.get("/healthz").status_code == 200


def test_a_key_ring_that_does_not_open_is_a_503_that_says_when_to_ask_again(
    api: APIClient, user: Any, settings: Any, bearer: SignIn
) -> None:
    raw_access = sessions.start(user).raw_access
    keyring.forget()
    SigningKey.objects.update(sealed="broken")
    for answer in (
        api.post("/api/token/", {"username": "ada", "password": PASSWORD}),
        bearer(raw_access).get("/api/me/"),
    ):
        assert answer.status_code == 503
        assert answer["Retry-After"] == "5"
        assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["/api/nope/", "/api/token", "/api/sessions/garbage/"])
@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_an_unknown_address_of_the_api_is_a_404_in_json(
    db: None, path: str, debug: bool, method: str, settings: Any
) -> None:
    settings.DEBUG = debug
    answer = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Not Found."}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/.well-known/jwks.json"])
def test_what_can_only_be_read_answers_405_to_the_rest(db: None, path: str) -> None:
    assert Client(enforce_csrf_checks=True).post(path).status_code == 405


def test_a_refusal_for_want_of_a_csrf_token_is_json_under_api_and_a_page_elsewhere() -> None:
    for path, kind in (("/api/x/", "application/json"), ("/admin/x/", "text/html; charset=utf-8")):
        answer = csrf_failure(RequestFactory().post(path), reason="why")
        assert (answer.status_code, answer["Content-Type"]) == (403, kind)


def test_a_browser_gets_the_browsable_api_and_a_client_json(
    api: APIClient, signed_in: dict[str, Any], bearer: SignIn
) -> None:
    client = bearer(signed_in["access"])
    page = client.get("/api/me/", HTTP_ACCEPT="text/html")
    assert page.status_code == 200
    assert page["Content-Type"].startswith("text/html")
    assert client.get("/api/me/", HTTP_ACCEPT="*/*")["Content-Type"] == "application/json"
    hidden_fields = {"/api/token/": 1, "/api/sessions/": 0, "/api/me/password/": 2}
    for path, number in hidden_fields.items():
        page = client.get(path, HTTP_ACCEPT="text/html")
        assert page["Content-Type"].startswith("text/html"), path
        assert page.content.decode().count('type="password"') == number, path


def test_whom_another_class_authenticated_sees_their_sessions_too(
    api: APIClient, signed_in: dict[str, Any], user: Any
) -> None:
    api.force_authenticate(user)
    assert [one["current"] for one in api.get("/api/sessions/").json()["results"]] == [False]


def an_active_account(session: Session) -> dict[str, Any]:
    return {"active": "premium"}


def test_no_claim_of_a_project_says_whether_a_token_is_active(
    bearer: Any, admin_user: Any, settings: Any
) -> None:
    settings.TOKENS_CLAIMS_HOOK = f"{__name__}.an_active_account"
    raw_access = sessions.start(admin_user).raw_access
    answer = bearer(raw_access).post("/api/token/introspect/", {"token": raw_access})
    assert answer.json()["active"] is True


@pytest.mark.parametrize(
    ("path", "field"), [("/api/token/revoke/", "token"), ("/api/token/blacklist/", "refresh")]
)
def test_who_gives_their_own_refresh_token_back_has_signed_out(
    api: APIClient, signed_in: dict[str, Any], path: str, field: str
) -> None:
    """As clients of djangorestframework-simplejwt do. Their network must stay a known one."""
    assert api.post(path, {field: signed_in["refresh"]}).status_code == 200
    assert Session.objects.get().end_reason == EndReason.LOGOUT


@pytest.mark.parametrize(
    ("path", "field", "status"),
    [
        ("/api/logout/", "refresh", 204),
        ("/api/logout/all/", "refresh", 401),
        ("/api/token/revoke/", "token", 200),
        ("/api/token/blacklist/", "refresh", 401),
    ],
)
def test_a_superseded_refresh_token_ends_its_own_session_as_reuse_and_no_other(
    api: APIClient, user: Any, path: str, field: str, status: int
) -> None:
    pair, other = sessions.start(user), sessions.start(user)
    rotate_twice(pair)
    assert api.post(path, {field: pair.raw_refresh}).status_code == status
    assert Session.objects.get(pk=pair.session.pk).end_reason == EndReason.REUSE
    sessions.authenticate(other.raw_access)


def id_claim(session: Session) -> dict[str, Any]:
    return {"tenant": uuid4()}


def test_claims_that_no_token_can_hold_are_a_503_that_names_the_claim_in_the_log(
    api: APIClient, signed_in: dict[str, Any], settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.TOKENS_CLAIMS_HOOK = "tests.wire.test_answers.id_claim"
    refresh = {"refresh": signed_in["refresh"]}
    for path, body in (
        ("/api/token/", {"username": "ada", "password": PASSWORD}),
        ("/api/token/refresh/", refresh),
    ):
        answer = api.post(path, body)
        assert answer.status_code == 503
        assert "tenant" not in answer.content.decode()
    assert caplog.text.count("claims_refused") == 2
    assert "'tenant' is a UUID" in caplog.text
    assert Session.objects.get().generation == 0
    settings.TOKENS_CLAIMS_HOOK = None
    assert api.post("/api/token/refresh/", refresh).status_code == 200

"""The API's answers beyond simplejwt's: keys, health, errors, and who I am."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from config.errors import csrf_failure
from tests.conftest import PASSWORD
from tests.wire.conftest import SignIn
from tokens import keyring, sessions
from tokens.models import Session, SigningKey


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

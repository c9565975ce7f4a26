"""The answers equal those of djangorestframework-simplejwt; only keys and headers are added."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.wire.conftest import SignIn
from tokens import sessions
from tokens.models import EndReason

TOKEN_PATHS = {
    "/api/token/": "username",
    "/api/token/refresh/": "refresh",
    "/api/token/verify/": "token",
    "/api/token/blacklist/": "refresh",
}
REQUIRED = ["This field is required."]


def not_valid(message: str) -> dict[str, Any]:
    return {
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "messages": [
            {"token_class": "AccessToken", "token_type": "access", "message": message},
        ],
    }


def in_body(detail: str) -> dict[str, str]:
    return {"detail": detail, "code": "token_not_valid"}


def at_refresh(detail: str) -> dict[str, str]:
    """Return what the token endpoint adds for OAuth clients (RFC 6749 §5.2)."""
    return {**in_body(detail), "error": "invalid_grant"}


@pytest.mark.parametrize("format", ["json", "multipart"])
def test_sign_in_answers_with_both_tokens(api: APIClient, user: Any, format: str) -> None:
    answer = api.post("/api/token/", {"username": "ada", "password": PASSWORD}, format=format)
    assert answer.status_code == 200
    assert answer.json().keys() == {
        "access",
        "refresh",
        "access_token",
        "refresh_token",
        "token_type",
        "expires_in",
        "refresh_expires_in",
    }
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["expires_in"] == 300
    assert answer.json()["refresh_expires_in"] == 14 * 86400


def test_sign_in_takes_a_form(api: APIClient, user: Any) -> None:
    answer = api.post(
        "/api/token/",
        f"username=ada&password={PASSWORD}",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("username", "password", "active"),
    [("nobody", PASSWORD, True), ("ada", "wrong", True), ("ada", PASSWORD, False)],
)
def test_a_sign_in_that_fails_never_says_why(
    api: APIClient, user: Any, username: str, password: str, active: bool, monkeypatch: Any
) -> None:
    type(user).objects.update(is_active=active)
    hashed = []
    hasher = "django.contrib.auth.hashers.MD5PasswordHasher.encode"
    original = __import__("django.contrib.auth.hashers", fromlist=["x"]).MD5PasswordHasher.encode

    def count(self: Any, *args: Any) -> Any:
        hashed.append(args)
        return original(self, *args)

    monkeypatch.setattr(hasher, count)
    answer = api.post("/api/token/", {"username": username, "password": password})
    assert answer.status_code == 401
    assert answer.json() == {
        "detail": "No active account found with the given credentials",
        "code": "no_active_account",
        "error": "invalid_grant",
    }
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'
    assert len(hashed) == 1, "each failure costs one hash, so timing reveals nothing either"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"username": REQUIRED, "password": REQUIRED}),
        ({"username": "ada"}, {"password": REQUIRED}),
        (
            {"username": "", "password": ""},
            {
                "username": ["This field may not be blank."],
                "password": ["This field may not be blank."],
            },
        ),
        (
            [1],
            {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]},
        ),
    ],
)
def test_a_sign_in_that_is_malformed_names_the_field(
    api: APIClient, db: None, body: Any, errors: Any
) -> None:
    answer = api.post("/api/token/", body)
    assert (answer.status_code, answer.json()) == (400, errors)


@pytest.mark.parametrize("path", TOKEN_PATHS)
def test_token_paths_are_for_post_only(api: APIClient, db: None, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 405
    assert answer.json() == {"detail": 'Method "GET" not allowed.'}
    assert answer["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize(("path", "field"), TOKEN_PATHS.items())
def test_malformed_bodies_are_400_and_other_media_types_415(
    api: APIClient, db: None, path: str, field: str
) -> None:
    answer = api.post(path, "{", content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("JSON parse error - ")
    assert api.post(path, {}).json()[field] == REQUIRED
    assert api.post(path, "x", content_type="text/plain").status_code == 415


def test_refresh_rotates(api: APIClient, signed_in: dict[str, Any]) -> None:
    answer = api.post("/api/token/refresh/", {"refresh": signed_in["refresh"]})
    assert answer.status_code == 200
    assert answer.json().keys() == signed_in.keys()
    assert answer.json()["refresh"] != signed_in["refresh"]


@pytest.mark.parametrize("path", ["/api/token/refresh/", "/api/token/blacklist/"])
def test_refused_refresh_tokens_have_simplejwts_words(api: APIClient, user: Any, path: str) -> None:
    pair = sessions.start(user)
    refused = at_refresh if path.endswith("/refresh/") else in_body
    garbage = api.post(path, {"refresh": "garbage"})
    assert (garbage.status_code, garbage.json()) == (401, refused("Token is invalid"))
    access = api.post(path, {"refresh": pair.raw_access})
    assert (access.status_code, access.json()) == (401, refused("Token has wrong type"))
    sessions.end([pair.session], reason=EndReason.LOGOUT)
    ended = api.post(path, {"refresh": pair.raw_refresh})
    assert (ended.status_code, ended.json()) == (401, refused("Token is blacklisted"))
    assert ended["WWW-Authenticate"] == 'Bearer realm="api"'


def test_an_expired_refresh_token_is_said_to_be_expired(
    api: APIClient, expired: sessions.TokenPair, settings: Any, forge: Any
) -> None:
    raw = forge(refresh=True, claims={"exp": 1000000000, "iat": 999999999})
    answer = api.post("/api/token/refresh/", {"refresh": raw})
    assert (answer.status_code, answer.json()) == (401, at_refresh("Token is expired"))


@pytest.mark.parametrize("how", ["inactive", "deleted"])
def test_a_refresh_for_a_user_who_may_not_sign_in(api: APIClient, user: Any, how: str) -> None:
    pair = sessions.start(user)
    if how == "inactive":
        type(user).objects.update(is_active=False)
    else:
        user.delete()
    answer = api.post("/api/token/refresh/", {"refresh": pair.raw_refresh})
    assert answer.status_code == 401
    assert answer.json() == at_refresh("No active account found for the given token.")


def test_a_refresh_after_a_password_change(api: APIClient, user: Any) -> None:
    pair = sessions.start(user)
    user.set_password("another sentence")
    user.save()
    answer = api.post("/api/token/refresh/", {"refresh": pair.raw_refresh})
    assert answer.status_code == 401
    assert answer.json() == at_refresh("The user's password has been changed.")


def test_verify_takes_either_type_and_knows_revoked_ones(api: APIClient, user: Any) -> None:
    pair = sessions.start(user)
    for raw in (pair.raw_access, pair.raw_refresh):
        answer = api.post("/api/token/verify/", {"token": raw})
        assert (answer.status_code, answer.json()) == (200, {})
    sessions.revoke(pair.raw_refresh)
    for raw in (pair.raw_access, pair.raw_refresh):
        answer = api.post("/api/token/verify/", {"token": raw})
        assert (answer.status_code, answer.json()) == (401, in_body("Token is blacklisted"))


def test_blacklist_ends_the_session_once(
    api: APIClient, signed_in: dict[str, Any], bearer: SignIn
) -> None:
    body = {"refresh": signed_in["refresh"]}
    first = api.post("/api/token/blacklist/", body)
    assert (first.status_code, first.json()) == (200, {})
    second = api.post("/api/token/blacklist/", body)
    assert (second.status_code, second.json()) == (401, in_body("Token is blacklisted"))
    assert bearer(signed_in["access"]).get("/api/me/").status_code == 401


@pytest.mark.parametrize("header", [None, "Basic YTpi", "Token abc", ""])
def test_no_credentials(api: APIClient, db: None, header: str | None) -> None:
    if header is not None:
        api.credentials(HTTP_AUTHORIZATION=header)
    answer = api.get("/api/me/")
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Authentication credentials were not provided."}
    assert answer["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "bearer a b c"])
def test_a_header_of_another_number_of_words(api: APIClient, db: None, header: str) -> None:
    api.credentials(HTTP_AUTHORIZATION=header)
    answer = api.get("/api/me/")
    assert answer.status_code == 401
    assert answer.json() == {
        "detail": "Authorization header must contain two space-delimited values",
        "code": "bad_authorization_header",
    }


@pytest.mark.parametrize("raw", ["garbage", "a.b.c", "\u00fc", "eyJhbGciOiJub25lIn0.e30."])
def test_garbage(bearer: SignIn, db: None, raw: str) -> None:
    answer = bearer(raw).get("/api/me/")
    assert (answer.status_code, answer.json()) == (401, not_valid("Token is invalid"))
    assert answer["WWW-Authenticate"] == 'Bearer realm="api", error="invalid_token"'


def test_an_expired_token_a_refresh_token_and_a_revoked_one(
    bearer: SignIn, expired: sessions.TokenPair, user: Any
) -> None:
    answer = bearer(expired.raw_access).get("/api/me/")
    assert (answer.status_code, answer.json()) == (401, not_valid("Token is expired"))
    answer = bearer(expired.raw_refresh).get("/api/me/")
    assert (answer.status_code, answer.json()) == (401, not_valid("Token has wrong type"))
    pair = sessions.start(user)
    sessions.revoke(pair.raw_access)
    answer = bearer(pair.raw_access).get("/api/me/")
    assert (answer.status_code, answer.json()) == (401, not_valid("Token is blacklisted"))


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_read_in_any_case(
    api: APIClient, signed_in: dict[str, Any], scheme: str
) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"{scheme} {signed_in['access']}")
    assert api.get("/api/me/").status_code == 200


def test_users_who_may_not_sign_in(bearer: SignIn, user: Any) -> None:
    pair = sessions.start(user)
    type(user).objects.update(is_active=False)
    answer = bearer(pair.raw_access).get("/api/me/")
    assert answer.status_code == 401
    assert answer.json() == {"detail": "User is inactive", "code": "user_inactive"}
    type(user).objects.update(is_active=True, password="!")
    answer = bearer(pair.raw_access).get("/api/me/")
    assert answer.status_code == 401
    assert answer.json() == {
        "detail": "The user's password has been changed.",
        "code": "password_changed",
    }
    type(user).objects.all().delete()
    answer = bearer(pair.raw_access).get("/api/me/")
    assert answer.status_code == 401
    assert answer.json() == {"detail": "User not found", "code": "user_not_found"}

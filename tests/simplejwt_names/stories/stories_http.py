"""What clients see of simplejwt's views and authentication classes."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from tests.conftest import PASSWORD
from tokens import sessions
from tokens.models import EndReason, Session

CREDENTIALS = {"username": "ada", "password": PASSWORD}

pytestmark = pytest.mark.django_db


def sign_in(path: str = "/jwt/") -> dict[str, Any]:
    answer = APIClient().post(path, CREDENTIALS)
    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "no-store"
    return dict(answer.json())


def who(access: str, path: str = "/who/", scheme: str = "Bearer") -> Any:
    return APIClient(HTTP_AUTHORIZATION=f"{scheme} {access}").get(path)


def refresh(raw_refresh: str) -> Any:
    return APIClient().post("/jwt/refresh/", {"refresh": raw_refresh})


def test_a_sign_in_starts_one_session_of_this_app(user: Any) -> None:
    body = sign_in()
    assert body.keys() == {"access", "refresh"}
    session = Session.objects.get()
    assert (session.user, session.ip_address) == (user, "127.0.0.1")
    found = sessions.authenticate(body["access"])
    assert found.user.pk == user.pk
    assert found.claims.extra["user_id"] == str(user.pk)
    assert found.claims.extra["token_type"] == "access"


@pytest.mark.parametrize("scheme", ["Bearer", "JWT", "bearer"])
def test_each_scheme_signs_in(user: Any, scheme: str) -> None:
    answer = who(sign_in()["access"], scheme=scheme)
    assert answer.json()["user"] == "ada"
    assert answer["Cache-Control"] == "no-store"


def test_the_apps_own_views_take_the_same_tokens_and_schemes(user: Any) -> None:
    access = sign_in()["access"]
    client = APIClient(HTTP_AUTHORIZATION=f"JWT {access}")
    assert len(client.get("/api/sessions/").json()["results"]) == 1


def test_a_token_of_the_apps_own_sign_in_has_a_user_id(user: Any) -> None:
    access = APIClient().post("/api/token/", CREDENTIALS).json()["access"]
    claims = who(access).json()["claims"]
    assert (claims["user_id"], claims["token_type"]) == (str(user.pk), "access")


def test_hooks_of_a_serializer_are_called(user: Any) -> None:
    body = sign_in("/jwt/named/")
    assert body["email"] == "ada@example.org"
    assert who(body["access"]).json()["claims"]["name"] == "ada"
    again = refresh(body["refresh"]).json()
    assert who(again["access"]).json()["claims"]["name"] == "ada"


def test_claims_make_a_user_without_a_row(user: Any) -> None:
    access = sign_in("/jwt/named/")["access"]
    assert who(access, "/who/by-claims/").json()["user"] == ""
    Session.objects.get().user.set_password("another sentence")


@pytest.mark.parametrize("path", ["/who/", "/who/by-claims/"])
def test_a_token_whose_user_is_null_is_refused(db: None, path: str) -> None:
    token = AccessToken()
    token["user_id"] = None
    answer = who(str(token), path)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")


@pytest.mark.parametrize("path", ["/who/", "/who/by-claims/"])
def test_a_revoked_token_is_refused_on_the_next_request(user: Any, path: str) -> None:
    access = sign_in()["access"]
    sessions.end_all(user, reason=EndReason.REVOKED)
    answer = who(access, path)
    assert answer.status_code == 401
    assert answer.json()["messages"] == [
        {"token_class": "AccessToken", "token_type": "access", "message": "Token is blacklisted"}
    ]


def test_a_user_who_was_deactivated_is_refused_in_simplejwts_words(user: Any) -> None:
    body = sign_in()
    user.is_active = False
    user.save()
    answer = who(body["access"])
    assert (answer.status_code, answer.json()["code"]) == (401, "user_inactive")
    answer = refresh(body["refresh"])
    assert answer.status_code == 401
    assert answer.json()["detail"] == "No active account found for the given token."


def test_a_new_password_refuses_every_token(user: Any) -> None:
    body = sign_in()
    user.set_password("another sentence")
    user.save()
    assert who(body["access"]).json()["code"] == "password_changed"
    assert refresh(body["refresh"]).json()["detail"] == "The user's password has been changed."


def test_a_refresh_token_that_comes_back_late_ends_the_session(user: Any) -> None:
    first = sign_in()["refresh"]
    second = refresh(first).json()
    assert second["refresh"] != first
    Session.objects.update(generation=2, seen=True)
    assert refresh(first).json()["detail"] == "Token is blacklisted"
    assert Session.objects.get().end_reason == EndReason.REUSE


def test_a_refresh_token_within_the_grace_gets_the_current_pair(user: Any) -> None:
    first = sign_in()["refresh"]
    assert refresh(first).json()["refresh"] == refresh(first).json()["refresh"]
    assert Session.objects.get().generation == 1


def test_blacklisting_ends_the_session(user: Any) -> None:
    body = sign_in()
    client = APIClient()
    assert client.post("/jwt/blacklist/", {"refresh": body["refresh"]}).json() == {}
    assert client.post("/jwt/blacklist/", {"refresh": body["refresh"]}).status_code == 401
    assert who(body["access"]).status_code == 401
    assert Session.objects.get().end_reason == EndReason.LOGOUT


def test_verifying_looks_at_the_session(user: Any) -> None:
    body = sign_in()
    client = APIClient()
    for raw in (body["access"], body["refresh"]):
        assert client.post("/jwt/verify/", {"token": raw}).json() == {}
    sessions.end_all(user, reason=EndReason.REVOKED)
    for raw in (body["access"], body["refresh"]):
        answer = client.post("/jwt/verify/", {"token": raw})
        assert answer.json() == {"detail": "Token is blacklisted", "code": "token_not_valid"}


def test_verifying_a_superseded_token_records_it_and_ends_nothing(user: Any) -> None:
    first = sign_in()["refresh"]
    refresh(first)
    Session.objects.update(generation=2, seen=True)
    assert APIClient().post("/jwt/verify/", {"token": first}).status_code == 401
    session = Session.objects.get()
    assert (session.ended_at, session.repeats) == (None, 1)


def test_junk_is_refused_and_counted(user: Any, settings: Any) -> None:
    settings.TOKENS_REFRESH_THROTTLE = "2/day"
    answers = [refresh("junk").status_code for _ in range(3)]
    assert answers == [401, 401, 429]


def test_a_token_that_has_just_expired_is_refused_as_by_simplejwt(user: Any) -> None:
    from rest_framework_simplejwt.tokens import RefreshToken

    token = RefreshToken.for_user(user)
    token.set_exp(lifetime=timedelta(seconds=-2))
    assert refresh(str(token)).json()["code"] == "token_not_valid"


def test_a_session_that_refreshes_too_often_is_limited(user: Any, settings: Any) -> None:
    settings.TOKENS_REFRESH_THROTTLE = "1/day"
    raw = sign_in()["refresh"]
    assert [refresh(raw).status_code for _ in range(2)] == [200, 429]


def test_guesses_are_limited(user: Any, settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "3/min"
    wrong = {"username": "ada", "password": "wrong"}
    answers = [APIClient().post("/jwt/", wrong) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert answers[0].json() == {"detail": "No active account found with the given credentials"}
    assert "Retry-After" in answers[3]


def test_a_sliding_token_slides_until_its_session_ends(user: Any) -> None:
    from rest_framework_simplejwt.settings import api_settings
    from rest_framework_simplejwt.tokens import SlidingToken

    token = sign_in("/jwt/sliding/")["token"]
    path = "/jwt/sliding/refresh/"
    later = APIClient().post(path, {"token": token}).json()["token"]
    assert SlidingToken(later).sid == SlidingToken(token).sid == Session.objects.get().pk
    classes = api_settings.AUTH_TOKEN_CLASSES
    api_settings.AUTH_TOKEN_CLASSES = [SlidingToken]
    try:
        assert who(later).json()["user"] == "ada"
    finally:
        api_settings.AUTH_TOKEN_CLASSES = classes
    SlidingToken(later).blacklist()
    assert APIClient().post(path, {"token": later}).status_code == 401
    assert who(token).status_code == 401


def test_a_body_without_a_token_is_400_and_a_get_405(user: Any) -> None:
    assert APIClient().post("/jwt/refresh/", {}).json() == {"refresh": ["This field is required."]}
    assert APIClient().get("/jwt/refresh/").status_code == 405


def test_the_users_own_rule_decides_at_a_refresh(user: Any) -> None:
    from rest_framework_simplejwt.settings import api_settings

    raw, rule = sign_in()["refresh"], api_settings.USER_AUTHENTICATION_RULE
    api_settings.USER_AUTHENTICATION_RULE = lambda user: False
    try:
        answer = refresh(raw)
    finally:
        api_settings.USER_AUTHENTICATION_RULE = rule
    assert answer.status_code == 401
    assert Session.objects.get().generation == 0


def test_last_login_is_written_if_asked_for(user: Any) -> None:
    from rest_framework_simplejwt.settings import api_settings

    sign_in()
    assert get_user_model().objects.get().last_login is None
    api_settings.UPDATE_LAST_LOGIN = True
    try:
        sign_in("/jwt/sliding/")
    finally:
        del api_settings.UPDATE_LAST_LOGIN
    assert get_user_model().objects.get().last_login is not None

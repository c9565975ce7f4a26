"""What a person types as their name finds them, as in Django's own forms."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.forms import AuthenticationForm
from django.db import models
from django.test import RequestFactory
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tokens.admin.search import user_key
from tokens.errors import TooManyAttempts
from tokens.limits import sign_in
from tokens.limits.names import account_of, name_in
from tokens.models import Session, normalise_username, usernames, value_from
from tokens.operations.users import find_users

pytestmark = pytest.mark.django_db

CODE = "424242"

SPELLINGS = {
    "composed": "Zo\u00eb",
    "decomposed": "Zoe\u0308",
    "full width": "\uff3ao\u00eb",
    "with spaces": "  Zo\u00eb ",
}


class CodeBackend(BaseBackend):
    """Takes a code instead of a name."""

    def authenticate(self, request: Any, code: str | None = None) -> Any:  # type: ignore[override]
        return get_user_model()._default_manager.get() if code == CODE else None


class BrokenBackend(BaseBackend):
    def authenticate(self, request: Any, **credentials: Any) -> Any:
        raise ValueError("the directory sent an answer that is not LDAP")


@pytest.fixture
def zoe() -> Any:
    return get_user_model().objects.create_user("Zo\u00eb", "zoe@example.org", PASSWORD)


@pytest.fixture
def request_from_home() -> Any:
    return RequestFactory().post("/sign-in/", REMOTE_ADDR="192.0.2.1")


@pytest.mark.parametrize("name", SPELLINGS.values(), ids=list(SPELLINGS))
def test_a_name_in_another_normal_form_signs_in_as_in_djangos_form(zoe: Any, name: str) -> None:
    form = AuthenticationForm(data={"username": name, "password": PASSWORD})
    assert form.is_valid()
    body = {"username": name, "password": PASSWORD}
    assert APIClient().post("/api/token/", body).status_code == 200
    assert APIClient().post("/api/token/cookie/", body).status_code == 200
    assert APIClient().post("/api/login/", body, format="multipart").status_code == 302


@pytest.mark.parametrize("name", ["D\u0131d\u0131", "D\u0130D\u0130", "D\u0131di", "di\u0307di"])
def test_a_name_that_a_database_may_take_for_another_is_counted_with_it(name: str) -> None:
    """PostgreSQL's UPPER gives both the dotless and the usual i the same letter."""
    assert account_of(name) == account_of("didi")


def test_a_name_that_is_too_long_is_refused_before_it_is_normalised() -> None:
    name = "e\u0308" * 100  # 100 characters once it is normalised
    assert normalise_username(name) == name
    answer = APIClient().post("/api/token/", {"username": name, "password": "x"})
    assert answer.status_code == 400
    assert list(answer.json()) == ["username"]


def test_the_owner_is_let_in_from_a_known_network_in_any_normal_form(
    zoe: Any, settings: Any
) -> None:
    settings.TOKENS_ACCOUNT_THROTTLE = "2/hour"
    body = {"username": SPELLINGS["composed"], "password": PASSWORD}
    assert APIClient().post("/api/token/", body, REMOTE_ADDR="192.0.2.1").status_code == 200
    for number in range(3):
        wrong = {**body, "password": "wrong"}
        APIClient().post("/api/token/", wrong, REMOTE_ADDR=f"203.0.113.{number}")
    body["username"] = SPELLINGS["decomposed"]
    assert APIClient().post("/api/token/", body, REMOTE_ADDR="203.0.113.9").status_code == 429
    assert APIClient().post("/api/token/", body, REMOTE_ADDR="192.0.2.1").status_code == 200


@pytest.mark.parametrize("key", ["username", "email"])
def test_credentials_have_the_names_that_the_backends_take(
    zoe: Any, request_from_home: Any, settings: Any, key: str
) -> None:
    settings.TOKENS_ACCOUNT_THROTTLE = "2/hour"
    name = {"username": "Zo\u00eb", "email": "zoe@example.org"}[key]
    for _ in range(2):
        assert sign_in.authenticate(request_from_home, **{key: name}, password="wrong") is None
    elsewhere = RequestFactory().post("/sign-in/", REMOTE_ADDR="203.0.113.9")
    with pytest.raises(TooManyAttempts):
        sign_in.authenticate(elsewhere, **{key: name}, password="wrong")


def test_of_two_names_the_one_that_djangos_backend_takes_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(get_user_model(), "USERNAME_FIELD", "email")
    assert name_in({"email": "bob@example.org", "username": "ada", "password": "x"}) == "ada"


def test_credentials_without_a_name_are_limited_by_address(
    zoe: Any, request_from_home: Any, settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.CodeBackend"]
    settings.TOKENS_LOGIN_THROTTLE = "3/hour"
    settings.TOKENS_ACCOUNT_THROTTLE = "1/hour"
    assert sign_in.authenticate(request_from_home, code=CODE) == zoe
    for _ in range(2):
        assert sign_in.authenticate(request_from_home, code="000000") is None
    with pytest.raises(TooManyAttempts):
        sign_in.authenticate(request_from_home, code=CODE)
    elsewhere = RequestFactory().post("/sign-in/", REMOTE_ADDR="203.0.113.9")
    assert sign_in.authenticate(elsewhere, code=CODE) == zoe


def test_a_box_that_is_ticked_is_no_name() -> None:
    assert name_in({"remember_me": True, "login": "ada", "password": "x"}) == "ada"
    assert name_in({"remember_me": True, "password": "x"}) is None


def test_a_request_is_not_needed_as_in_djangos_authenticate(zoe: Any, settings: Any) -> None:
    settings.TOKENS_ACCOUNT_THROTTLE = "1/hour"
    assert sign_in.authenticate(None, username="Zo\u00eb", password=PASSWORD) == zoe
    assert sign_in.authenticate(None, username="somebody", password="wrong") is None
    with pytest.raises(TooManyAttempts):
        sign_in.authenticate(None, username="somebody", password="wrong")


@pytest.mark.parametrize("credentials", [{"username": "ada"}, {"code": "1"}])
def test_an_error_of_a_backend_is_not_taken_for_a_wrong_name(
    request_from_home: Any, settings: Any, credentials: dict[str, str]
) -> None:
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.BrokenBackend"]
    with pytest.raises(ValueError, match="not LDAP"):
        sign_in.authenticate(request_from_home, **credentials, password="x")


@pytest.fixture
def _names_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat names as numbers, as with a user model whose USERNAME_FIELD is an IntegerField."""
    field: Any = models.IntegerField()
    field.set_attributes_from_name("username")
    monkeypatch.setattr(usernames, "username_field", lambda: field)
    monkeypatch.setattr(ModelBackend, "authenticate", raise_for_text)


def raise_for_text(self: Any, request: Any, username: str, password: str) -> None:
    int(username)


@pytest.mark.usefixtures("_names_are_numbers")
def test_a_text_that_cannot_be_a_name_is_a_wrong_name(
    request_from_home: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    settings.TOKENS_ACCOUNT_THROTTLE = "1/hour"
    caplog.set_level("INFO", "tokens")
    assert sign_in.authenticate(request_from_home, username="abc", password="x") is None
    assert "sign_in_failed" in caplog.text
    with pytest.raises(TooManyAttempts):
        sign_in.authenticate(request_from_home, username="abc", password="x")
    assert find_users("abc") == []


def test_a_number_that_no_column_holds_is_no_value() -> None:
    field: Any = models.IntegerField()
    assert value_from("7", field) == 7
    assert value_from("9" * 30, field) is None
    assert value_from("x", field) is None
    assert value_from("a\0", models.CharField()) is None
    assert value_from("a\ud800", models.CharField()) is None
    assert user_key("abc") is None


def test_a_foreign_key_as_a_name_is_what_it_points_to(monkeypatch: pytest.MonkeyPatch) -> None:
    user_model = get_user_model()
    monkeypatch.setattr(user_model, "USERNAME_FIELD", "user")
    monkeypatch.setattr(user_model, "_meta", Session._meta)
    assert usernames.username_field().name == "id"
    assert usernames.max_username_length() is None

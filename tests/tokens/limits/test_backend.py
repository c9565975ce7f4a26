"""Whatever calls Django's ``authenticate`` is limited, once, and learns nothing more."""

import base64
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import BACKEND_SESSION_KEY, aauthenticate, authenticate
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory

from tests.conftest import PASSWORD
from tests.tokens.limits import site
from tests.tokens.limits.attempts import ELSEWHERE, HOME
from tokens import backends
from tokens.limits import sign_in
from tokens.models import ThrottleCount

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_atomic_or_not")]


class EmailBackend(BaseBackend):
    """Knows users by their email address."""

    def authenticate(self, request: Any, email: str, password: str) -> Any:  # type: ignore[override]
        from django.contrib.auth import get_user_model

        user: Any = get_user_model().objects.filter(email=email).first()
        return user if user and user.check_password(password) else None

    def get_user(self, user_id: Any) -> Any:
        from django.contrib.auth import get_user_model

        return get_user_model().objects.filter(pk=user_id).first()


class Nested(BaseBackend):
    """Asks Django again."""

    def authenticate(self, request: Any, login: str, password: str) -> Any:  # type: ignore[override]
        return authenticate(request, username=login, password=password)


class Closed(BaseBackend):
    def authenticate(self, request: Any, username: str, password: str) -> Any:  # type: ignore[override]
        raise PermissionDenied


@pytest.fixture(autouse=True)
def _three_an_hour(settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "3/hour"
    settings.ROOT_URLCONF = site.__name__
    settings.AUTHENTICATION_BACKENDS = [
        "tokens.backends.SignInLimitBackend",
        "accounts.backends.AccountBackend",
        f"{__name__}.EmailBackend",
        f"{__name__}.Nested",
    ]


def basic(password: str, **headers: Any) -> Any:
    words = base64.b64encode(f"ada:{password}".encode()).decode()
    return Client(headers={"Authorization": f"Basic {words}"}).get("/basic/", **headers)


def test_a_view_without_a_request_is_limited_by_the_address_of_the_current_one(user: Any) -> None:
    statuses = [
        Client().post(
            "/without-request/", {"username": f"user-{n}", "password": "x"}, REMOTE_ADDR=HOME
        )
        for n in range(5)
    ]
    assert [answer.status_code for answer in statuses] == [403] * 3 + [429] * 2
    assert "Retry-After" in statuses[-1]
    assert statuses[-1].json()["detail"].startswith("There were too many attempts")
    right = {"username": "ada", "password": PASSWORD}
    assert Client().post("/without-request/", right, REMOTE_ADDR=ELSEWHERE).status_code == 200


def test_basic_authentication_is_limited(user: Any) -> None:
    assert [basic("wrong").status_code for _ in range(4)] == [401] * 3 + [429]
    assert basic(PASSWORD).status_code == 429
    assert basic(PASSWORD, REMOTE_ADDR=ELSEWHERE).status_code == 429


def test_right_passwords_pass_at_any_rate_the_network_allows(user: Any) -> None:
    statuses = [basic(PASSWORD, REMOTE_ADDR=f"10.0.{n}.1").status_code for n in range(20)]
    assert statuses == [200] * 20


def test_a_page_that_shows_its_form_again_is_replaced(user: Any) -> None:
    wrong = {"email": "ada@example.org", "password": "wrong"}
    answers = [Client().post("/by-email/", wrong, REMOTE_ADDR=HOME) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429]
    assert b"Too many attempts" in answers[-1].content


def test_a_page_that_sends_the_browser_back_is_replaced(user: Any) -> None:
    answers = [Client().post("/sends-back/", {"password": "wrong"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [302] * 3 + [429]
    assert answers[-1]["Retry-After"]
    right = Client().post("/sends-back/", {"password": PASSWORD}, REMOTE_ADDR="10.9.9.9")
    assert right.status_code == 429


def test_a_request_whose_last_attempt_succeeded_is_not_replaced(user: Any, settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE, settings.TOKENS_ACCOUNT_THROTTLE = "100/hour", "3/hour"
    for _ in range(4):
        authenticate(None, username="bob", password="wrong")
    assert Client().post("/tries-twice/").url == "/welcome/"  # type: ignore[attr-defined]


def test_a_request_that_signed_in_by_another_way_is_not_replaced(user: Any) -> None:
    for _ in range(3):
        Client().post("/sends-back/", {"password": "wrong"})
    answer: Any = Client().post("/signs-in-otherwise/")
    assert (answer.status_code, answer["Location"]) == (302, "/welcome/")


def test_an_answer_that_is_no_refusal_stays(user: Any) -> None:
    for _ in range(4):
        answer = Client().post("/falls-back/")
    assert answer.json() == {"anonymous": True}


def test_a_page_that_a_get_request_shows_stays(user: Any) -> None:
    answers = [Client().get("/public-page/") for _ in range(4)]
    assert answers[-1].content == b"for everybody"
    assert Client().post("/public-page/").status_code == 429


def test_a_429_of_the_views_own_stays(user: Any) -> None:
    for _ in range(4):
        answer = Client().post("/answers-429-itself/")
    assert (answer.status_code, answer.json()) == (429, {"own": True})


def test_the_name_is_one_account_under_each_keyword(user: Any) -> None:
    request = RequestFactory().post("/")
    for key in ("username", "email", "login"):
        assert authenticate(request, **{key: "ada", "password": "wrong"}) is None
    request.META["REMOTE_ADDR"] = ELSEWHERE
    assert authenticate(request, username="ada", password=PASSWORD) is None
    callers = ThrottleCount.objects.values_list("caller", flat=True)
    assert sum(len(caller.split()[-1]) == 32 for caller in callers) == 1


class EitherBackend(BaseBackend):
    """Takes a username or an email address."""

    def authenticate(  # type: ignore[override]
        self, request: Any, username: str, email: str, password: str
    ) -> Any:
        return None


def test_each_name_of_an_attempt_is_counted(user: Any, settings: Any) -> None:
    """Otherwise a random username beside it would give each guess at an email address a new count."""
    settings.AUTHENTICATION_BACKENDS.append(f"{__name__}.EitherBackend")
    settings.TOKENS_LOGIN_THROTTLE, settings.TOKENS_ACCOUNT_THROTTLE = "100/hour", "3/hour"
    for number in range(3):
        names = {"username": f"random-{number}", "email": "ada@example.org"}
        authenticate(None, **names, password="wrong")
    assert authenticate(None, email="ada@example.org", password=PASSWORD) is None


def test_an_attempt_is_counted_once_although_a_backend_asks_again(user: Any) -> None:
    request = RequestFactory().post("/", REMOTE_ADDR=HOME)
    assert authenticate(request, login="ada", password=PASSWORD) == user
    for _ in range(2):
        assert authenticate(request, login="ada", password="wrong") is None
    assert authenticate(request, login="ada", password=PASSWORD) is None  # 2.1 attempts are counted


def test_asynchronous_code_is_limited_too(user: Any) -> None:
    found = [
        async_to_sync(aauthenticate)(None, username="ada", password=password)
        for password in ("wrong", "wrong", PASSWORD, "wrong", PASSWORD)
    ]
    assert found == [None, None, user, None, None]


def test_a_session_names_the_backend_that_knew_the_password(user: Any) -> None:
    client = Client()
    right = {"email": "ada@example.org", "password": PASSWORD}
    assert client.post("/by-email/", right).content == b"welcome"
    assert client.session[BACKEND_SESSION_KEY] == f"{__name__}.EmailBackend"


def test_a_session_that_names_this_backend_has_a_user(user: Any) -> None:
    assert backends.SignInLimitBackend().get_user(user.pk) == user
    assert backends.SignInLimitBackend().get_user(AnonymousUser().pk) is None


def test_a_backend_that_refuses_has_the_last_word(user: Any, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS.insert(1, f"{__name__}.Closed")
    assert authenticate(None, username="ada", password=PASSWORD) is None


def test_a_password_that_was_changed_during_its_check_is_refused(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert authenticate(None, username="ada", password=PASSWORD) == user
    monkeypatch.setattr(sign_in, "was_outdated", lambda found: found == user)
    assert authenticate(None, username="ada", password=PASSWORD) is None


def test_credentials_that_no_other_backend_takes_are_refused(user: Any) -> None:
    assert authenticate(None, phone="1", password=PASSWORD) is None


def test_a_user_whom_the_proxy_has_authenticated_is_not_counted(user: Any, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS.append("django.contrib.auth.backends.RemoteUserBackend")
    for _ in range(20):
        assert authenticate(None, remote_user="ada") == user
    assert not ThrottleCount.objects.exists()


def test_a_failure_is_signalled_once(user: Any) -> None:
    heard: list[str] = []

    def hear(credentials: Any, **kwargs: Any) -> None:
        heard.append(credentials["username"])

    user_login_failed.connect(hear)
    try:
        authenticate(None, username="ada", password="wrong")
    finally:
        user_login_failed.disconnect(hear)
    assert heard == ["ada"]


def test_a_long_number_as_a_name_is_a_wrong_name(user: Any, settings: Any) -> None:
    settings.ROOT_URLCONF = "config.urls"
    answer = Client().post("/admin/login/", {"username": "7" * 30, "password": "x"})
    assert answer.status_code == 200

"""Passwords are tried within the limits in the admin, and in a login view of the project's own."""

from typing import Any

import pytest
from django.test import Client, RequestFactory

from tests.conftest import PASSWORD
from tests.tokens.limits.attempts import HOME, tries
from tokens.errors import TooManyAttempts
from tokens.limits import admission, counts, sign_in
from tokens.models import ThrottleCount

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_atomic_or_not")]


@pytest.fixture(autouse=True)
def _three_an_hour(settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "3/hour"


class TestTheAdminsPage:
    @pytest.fixture(autouse=True)
    def _staff(self, user: Any) -> None:
        type(user).objects.update(is_staff=True, is_superuser=True)

    def tries(self, password: str, *, client: Client | None = None, name: str = "ada") -> Any:
        body = {"username": name, "password": password, "next": "/admin/"}
        return (client or Client()).post("/admin/login/", body, REMOTE_ADDR=HOME)

    def test_has_the_same_limit_as_the_api(self) -> None:
        assert [self.tries("wrong").status_code for _ in range(2)] == [200] * 2
        assert tries(HOME).status_code == 401
        answer = self.tries(PASSWORD)
        assert answer.status_code == 429
        assert 1100 <= int(answer["Retry-After"]) <= 1200
        assert f"Try again in {answer['Retry-After']} seconds" in answer.content.decode()
        assert tries(HOME, password=PASSWORD).status_code == 429

    def test_lets_the_right_password_in_at_a_tenth(self) -> None:
        assert [self.tries(PASSWORD).status_code for _ in range(5)] == [302] * 5

    def test_a_session_of_ones_own_does_not_make_a_wrong_password_right(self) -> None:
        client = Client()
        assert self.tries(PASSWORD, client=client).status_code == 302
        statuses = [self.tries("wrong", client=client, name="root").status_code for _ in range(4)]
        assert statuses == [200, 200, 429, 429]

    def test_looking_at_it_is_free(self) -> None:
        client = Client()
        assert {client.get("/admin/login/").status_code for _ in range(9)} == {200}
        assert {client.post("/admin/login/", {}).status_code for _ in range(9)} == {200}
        assert not ThrottleCount.objects.exists()


def test_a_login_view_of_the_projects_own_has_the_limit_too(user: Any) -> None:
    request = RequestFactory().post("/", REMOTE_ADDR=HOME)
    assert sign_in.authenticate(request, username="ada", password=PASSWORD) == user
    wrong = [sign_in.authenticate(request, username="ada", password="wrong") for _ in range(2)]
    assert wrong == [None, None]
    with pytest.raises(TooManyAttempts):
        sign_in.authenticate(request, username="ada", password=PASSWORD)


def test_an_attempt_that_succeeded_gives_back_once(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    attempt = admission.look(RequestFactory().post("/", REMOTE_ADDR=HOME), "ada")
    attempt.take()
    monkeypatch.setattr(counts, "give_back", lambda *args, **how: given.append(args))
    attempt.succeeded()
    attempt.succeeded()
    assert len(given) == 1

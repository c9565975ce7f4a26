"""While somebody guesses at an account, its owner, staff and whom an operator admits get in."""

import re
import time
from datetime import timedelta
from io import StringIO
from itertools import cycle
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import signing
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.tokens.limits.test_sign_in import ELSEWHERE, HOME, addresses, tries
from tokens import clock, sessions
from tokens.errors import TooManyAttempts
from tokens.limits import counts, devices, good_networks
from tokens.limits.devices import DEVICE, REMEMBERED_FOR
from tokens.limits.networks import network_of
from tokens.models import EndReason, Session, ThrottleCount

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_atomic_or_not")]

checked: list[str] = []
places = cycle(addresses())
TABLE = re.compile(r'(?:FROM|INTO) "(\w+)"')


class Counting(MD5PasswordHasher):
    """Remembers the passwords that it checked."""

    def encode(self, password: str, salt: str) -> str:
        checked.append(password)
        return super().encode(password, salt)


@pytest.fixture(autouse=True)
def _counted(settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.Counting"]
    settings.TOKENS_LOGIN_THROTTLE, settings.TOKENS_ACCOUNT_THROTTLE = "100/hour", "3/hour"
    checked.clear()


def attack(name: str = "ada") -> None:
    """Try wrong passwords of one account from many addresses, until its limit is reached."""
    while tries(next(places), name=name).status_code == 401:
        pass


def somebody_signed_in_from(address: str) -> None:
    network = network_of(address)
    assert network
    good_networks.mark(network, now=clock.now())


class TestAKnownNetwork:
    def test_lets_the_owner_in(self, user: Any) -> None:
        assert tries(HOME, password=PASSWORD).status_code == 200
        attack()
        assert tries(ELSEWHERE, password=PASSWORD).status_code == 429
        assert tries(HOME, password=PASSWORD).status_code == 200

    def test_lets_the_owner_in_where_only_accounts_are_limited(
        self, user: Any, settings: Any
    ) -> None:
        settings.TOKENS_LOGIN_THROTTLE = ""
        assert tries(HOME, password=PASSWORD).status_code == 200
        attack()
        assert not ThrottleCount.objects.filter(caller__startswith="good").exists()
        assert tries(ELSEWHERE, password=PASSWORD).status_code == 429
        assert tries(HOME, password=PASSWORD).status_code == 200

    def test_is_also_that_of_the_last_refresh(self, user: Any) -> None:
        pair = sessions.start(user, client=sessions.Client(HOME))
        sessions.refresh(pair.raw_refresh, client=sessions.Client("2001:db8::1"))
        somebody_signed_in_from("2001:db8::1")
        attack()
        assert tries("2001:db8::2", password=PASSWORD).status_code == 200

    @pytest.mark.django_db(transaction=True)
    def test_becomes_known_by_any_session_and_by_a_refresh(self, user: Any) -> None:
        pair = sessions.start(user, client=sessions.Client(HOME))
        sessions.refresh(pair.raw_refresh, client=sessions.Client("2001:db8::1"))
        attack()
        assert tries(HOME, password=PASSWORD).status_code == 200
        assert tries("2001:db8::2", password=PASSWORD).status_code == 200

    def test_is_no_way_around_the_limit(self, user: Any) -> None:
        assert tries(HOME, password=PASSWORD).status_code == 200
        attack()
        checked.clear()
        assert [tries(HOME).status_code for _ in range(5)] == [429] * 5
        assert checked.count("wrong") == 3
        assert tries(HOME, password=PASSWORD).status_code == 429

    @pytest.mark.parametrize(
        "reason", [EndReason.REUSE, EndReason.REVOKED, EndReason.PASSWORD_CHANGED]
    )
    def test_is_none_after_its_session_was_taken_back(self, user: Any, reason: EndReason) -> None:
        session = sessions.start(user, client=sessions.Client(HOME)).session
        somebody_signed_in_from(HOME)
        sessions.end([session], reason=reason)
        attack()
        assert tries(HOME, password=PASSWORD).status_code == 429

    def test_is_known_after_a_sign_out_and_not_for_ever(self, user: Any) -> None:
        session = sessions.start(user, client=sessions.Client(HOME)).session
        somebody_signed_in_from(HOME)
        sessions.end([session], reason=EndReason.LOGOUT)
        attack()
        assert tries(HOME, password=PASSWORD).status_code == 200
        Session.objects.update(
            refreshed_at=timezone.now() - good_networks.KNOWN_FOR - timedelta(seconds=1)
        )
        assert tries(HOME, password=PASSWORD).status_code == 429

    def test_of_another_user_is_none(self, user: Any, django_user_model: Any) -> None:
        django_user_model.objects.create_user("bob", "bob@example.org", PASSWORD)
        assert tries(HOME, name="bob", password=PASSWORD).status_code == 200
        attack()
        assert tries(HOME, password=PASSWORD).status_code == 429

    def test_is_also_that_of_a_sign_in_to_the_admin(self, user: Any) -> None:
        type(user).objects.update(is_staff=True)
        assert sign_in_to_the_admin(HOME).status_code == 302
        attack()
        assert tries(HOME, password=PASSWORD).status_code == 200

    def test_lets_the_owner_in_although_the_network_around_it_is_full(
        self, user: Any, settings: Any
    ) -> None:
        settings.TOKENS_LOGIN_THROTTLE = "3/hour"
        assert tries(HOME, password=PASSWORD).status_code == 200
        # Five times as many in the /24.
        for number in range(20):
            tries(f"192.0.2.{100 + number}", name=f"user-{number}")
        assert tries("192.0.2.99", name="bob").status_code == 429
        assert tries(HOME, password=PASSWORD).status_code == 200

    def test_lets_the_owner_in_although_the_whole_site_is_full(
        self, user: Any, settings: Any
    ) -> None:
        assert tries(HOME, password=PASSWORD).status_code == 200
        settings.TOKENS_SITE_THROTTLE = "2/hour"
        for number in range(3):
            tries(f"203.0.{number}.7", name=f"user-{number}")
        assert tries(ELSEWHERE, name="bob").status_code == 429
        assert tries(HOME, password=PASSWORD).status_code == 200
        assert tries(ELSEWHERE, password=PASSWORD).status_code == 429


def sign_in_to_the_admin(address: str, client: Client | None = None, **changes: str) -> Any:
    body = {"username": "ada", "password": PASSWORD, "next": "/admin/", **changes}
    return (client or Client()).post("/admin/login/", body, REMOTE_ADDR=address)


class TestTheAnswer:
    """An account that was used from here, one used elsewhere and one that does not exist."""

    def test_is_the_same_also_when_the_account_is_full(
        self, user: Any, django_user_model: Any
    ) -> None:
        django_user_model.objects.create_user("bob", "bob@example.org", PASSWORD)
        assert tries(HOME, password=PASSWORD).status_code == 200
        assert tries(ELSEWHERE, name="bob", password=PASSWORD).status_code == 200
        answers = []
        for name in ("ada", "bob", "nobody"):
            attack(name)
            checked.clear()
            answer = tries(HOME, name=name)
            assert len(checked) == 1, name
            answers.append((answer.status_code, answer.json()["detail"], dict(answer.items())))
            del answers[-1][2]["X-Request-ID"]
        assert answers[0][0] == 429
        assert answers == answers[:1] * 3

    def test_costs_no_hash_where_no_user_has_signed_in(self, user: Any) -> None:
        assert tries(HOME, password=PASSWORD).status_code == 200
        for name in ("ada", "nobody"):
            attack(name)
            checked.clear()
            assert tries(ELSEWHERE, name=name).status_code == 429
            assert checked == []

    def test_does_not_reveal_a_right_password_of_a_user_who_is_not_admitted(
        self, user: Any, django_user_model: Any
    ) -> None:
        django_user_model.objects.create_user("bob", "bob@example.org", PASSWORD)
        assert tries(HOME, name="bob", password=PASSWORD).status_code == 200
        attack()
        right, wrong = tries(HOME, password=PASSWORD), tries(HOME)
        assert right.status_code == wrong.status_code == 429
        assert right.json() == wrong.json()

    def test_takes_the_same_statements_whether_the_password_was_right(
        self, user: Any, django_user_model: Any
    ) -> None:
        django_user_model.objects.create_user("bob", "bob@example.org", PASSWORD)
        assert tries(HOME, name="bob", password=PASSWORD).status_code == 200
        attack()
        taken = []
        for password in (PASSWORD, "wrong"):
            with CaptureQueriesContext(connection) as captured:
                assert tries(HOME, password=password).status_code == 429
            tables = [TABLE.findall(query["sql"]) for query in captured.captured_queries]
            taken.append([names[:1] for names in tables])
        assert taken[0] == taken[1]
        assert ["tokens_session"] in taken[0]

    def test_says_what_to_do(self, user: Any) -> None:
        attack()
        detail = tries(ELSEWHERE).json()["detail"]
        assert "from a browser or network from which you have signed in before" in detail
        assert "ask an administrator" in detail


class TestAKnownBrowser:
    @pytest.fixture
    def browser(self, user: Any) -> APIClient:
        browser = APIClient()
        body = {"username": "ada", "password": PASSWORD}
        assert browser.post("/api/token/cookie/", body, REMOTE_ADDR=HOME).status_code == 200
        return browser

    def tries(self, browser: APIClient, password: str = PASSWORD, name: str = "ada") -> int:
        body = {"username": name, "password": password}
        answer = browser.post("/api/token/cookie/", body, REMOTE_ADDR=ELSEWHERE)
        return int(answer.status_code)

    def test_lets_the_owner_in_from_anywhere(self, browser: APIClient) -> None:
        attack()
        assert self.tries(browser) == 200

    def test_lets_the_owner_in_although_its_network_is_full(
        self, browser: APIClient, settings: Any
    ) -> None:
        settings.TOKENS_LOGIN_THROTTLE = "3/hour"
        assert [tries(ELSEWHERE, name=f"user-{n}").status_code for n in range(4)][-1] == 429
        assert self.tries(browser) == 200
        assert tries(ELSEWHERE, password=PASSWORD).status_code == 429

    def test_has_a_limit_of_its_own(self, browser: APIClient) -> None:
        attack()
        assert [self.tries(browser, "wrong") for _ in range(5)] == [429] * 5
        assert self.tries(browser) == 429

    def test_is_of_no_use_for_another_account(
        self, browser: APIClient, django_user_model: Any
    ) -> None:
        django_user_model.objects.create_user("bob", "bob@example.org", PASSWORD)
        attack("bob")
        assert self.tries(browser, name="bob") == 429

    def test_is_of_no_use_after_a_new_password(self, browser: APIClient, user: Any) -> None:
        user.set_password("another sentence")
        user.save()
        attack()
        assert self.tries(browser, "another sentence") == 429

    def test_lets_the_owner_in_also_when_the_password_gets_a_better_hash(
        self, browser: APIClient, settings: Any
    ) -> None:
        attack()
        former = settings.PASSWORD_HASHERS
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *former]
        assert self.tries(browser) == 200
        assert self.tries(browser) == 200

    def test_is_not_kept_out_by_a_cookie_of_before_a_new_password(
        self, browser: APIClient, user: Any
    ) -> None:
        user.set_password("another sentence")
        user.save()
        new = APIClient()
        body = {"username": "ada", "password": "another sentence"}
        assert new.post("/api/token/cookie/", body, REMOTE_ADDR=HOME).status_code == 200
        attack()
        assert [self.tries(browser, "wrong") for _ in range(5)] == [429] * 5
        assert self.tries(new, "another sentence") == 200

    def test_that_was_signed_elsewhere_is_none(self, browser: APIClient) -> None:
        browser.cookies[DEVICE] = browser.cookies[DEVICE].value + "x"
        attack()
        assert self.tries(browser) == 429
        assert self.tries(APIClient(HTTP_COOKIE=f"{DEVICE}=x")) == 429

    def test_is_remembered_by_a_sign_in_to_the_admin_too(self, user: Any) -> None:
        type(user).objects.update(is_staff=True)
        browser = Client()
        assert sign_in_to_the_admin(HOME, browser).status_code == 302
        cookie = browser.cookies[DEVICE]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert str(user.password) not in cookie.value
        attack()
        assert sign_in_to_the_admin("198.18.0.1", browser).status_code == 302

    def test_is_remembered_by_no_sign_in_for_tokens(self, user: Any) -> None:
        client = APIClient()
        body = {"username": "ada", "password": PASSWORD}
        assert client.post("/api/token/", body).status_code == 200
        assert not client.cookies

    def test_is_forgotten_after_half_a_year(
        self, browser: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cookie = f"{DEVICE}={browser.cookies[DEVICE].value}"
        request = RequestFactory().get("/", headers={"cookie": cookie})
        signed_at, minute = time.time(), timedelta(minutes=1)
        known = []
        for age in (REMEMBERED_FOR - minute, REMEMBERED_FOR + minute):
            now = signed_at + age.total_seconds()
            monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda now=now: now))
            known.append(devices.find(request) is not None)
        assert known == [True, False]


class TestTheAdmin:
    def test_lets_staff_in_by_attempts_of_its_own(self, user: Any) -> None:
        type(user).objects.update(is_staff=True)
        attack()
        assert tries(ELSEWHERE, password=PASSWORD).status_code == 429
        statuses = [sign_in_to_the_admin(f"203.0.{n}.7").status_code for n in range(20)]
        assert statuses == [302] * 20

    def test_does_not_admit_users_who_are_not_staff(self, user: Any) -> None:
        attack()
        assert sign_in_to_the_admin(ELSEWHERE).status_code == 429

    def test_checks_no_more_than_these(self, user: Any) -> None:
        type(user).objects.update(is_staff=True)
        attack()
        checked.clear()
        for number in range(10):
            answer = sign_in_to_the_admin(f"203.0.{number}.7", password="wrong")
            assert answer.status_code == 429
            assert "Too many attempts" in answer.content.decode()
        assert checked == ["wrong"] * 3


class TestAnOperator:
    def admit(self, *words: str) -> str:
        out, err = StringIO(), StringIO()
        call_command("admit", *words, stdout=out, stderr=err)
        return out.getvalue() + err.getvalue()

    def test_admits_a_user_once_from_anywhere(
        self, user: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", "tokens")
        attack()
        said = self.admit("ada")
        assert said.startswith("ada may sign in from anywhere until ")
        assert "--address" in said
        assert f"user_admitted user={user.pk}" in caplog.text
        assert tries(ELSEWHERE).status_code == 429
        assert tries(ELSEWHERE, password=PASSWORD).status_code == 200
        assert tries("198.18.0.1", password=PASSWORD).status_code == 429

    def test_admits_from_one_address_although_its_network_is_full(
        self, user: Any, settings: Any
    ) -> None:
        settings.TOKENS_LOGIN_THROTTLE = "3/hour"
        assert [tries(ELSEWHERE, name=f"user-{n}").status_code for n in range(4)][-1] == 429
        assert "--address" not in self.admit("ada", "--address", ELSEWHERE, "--minutes", "5")
        assert tries(ELSEWHERE, password=PASSWORD).status_code == 200
        assert tries(ELSEWHERE, password=PASSWORD).status_code == 429

    @pytest.mark.parametrize("rate", ["3/hour", ""])
    def test_admits_no_guessing_without_a_limit(self, user: Any, settings: Any, rate: str) -> None:
        attack()
        settings.TOKENS_LOGIN_THROTTLE = rate
        for number in range(4):
            tries(ELSEWHERE, name=f"user-{number}")
        self.admit("ada", "--address", ELSEWHERE)
        checked.clear()
        assert {tries(ELSEWHERE).status_code for _ in range(10)} == {429}
        assert checked == ["wrong"] * 3

    def test_admits_from_nowhere_else(self, user: Any) -> None:
        attack()
        self.admit("ada", "--address", "198.18.0.1")
        assert tries(ELSEWHERE, password=PASSWORD).status_code == 429

    def test_admits_for_some_minutes(self, user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        attack()
        self.admit("ada", "--minutes", "2")
        # After three minutes the account has no room yet.
        later = clock.now() + timedelta(minutes=3)
        monkeypatch.setattr(clock, "now", lambda: later)
        assert tries(ELSEWHERE, password=PASSWORD).status_code == 429

    def test_admits_no_longer_although_the_clock_was_set_back(
        self, user: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = clock.now()
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=2))
        self.admit("ada")
        monkeypatch.setattr(clock, "now", lambda: now)
        attack()
        assert tries(ELSEWHERE, password=PASSWORD).status_code == 429
        self.admit("ada")
        assert tries(ELSEWHERE, password=PASSWORD).status_code == 200

    def test_admits_by_the_email_address_that_the_user_types(self, user: Any) -> None:
        assert "ada@example.org may" in self.admit("ada@example.org")

    @pytest.mark.parametrize(
        "words",
        [
            ["nobody"],
            ["ada", "--minutes", "0"],
            ["ada", "--minutes", "61"],
            ["ada", "--minutes", "x"],
            ["ada", "--address", "home"],
        ],
    )
    def test_is_told_what_makes_no_sense(self, user: Any, words: list[str]) -> None:
        with pytest.raises(CommandError):
            self.admit(*words)
        assert not ThrottleCount.objects.exists()


def test_the_owner_gets_in_although_another_attempt_takes_the_last_place(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tries(HOME, password=PASSWORD).status_code == 200
    for number in range(2):
        tries(f"198.18.{number}.1")
    take, others = counts.take, iter([True])

    def taken_by_another(charges: Any, *, now: Any) -> None:
        if next(others, None):
            monkeypatch.setattr(counts, "take", take)
            assert tries("198.18.9.1").status_code == 401
        take(charges, now=now)

    monkeypatch.setattr(counts, "take", taken_by_another)
    assert tries(HOME, password=PASSWORD).status_code == 200


def test_a_caller_that_is_overtaken_again_and_again_has_to_wait(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def outrun(*args: Any, **kwargs: Any) -> None:
        raise TooManyAttempts(timedelta(seconds=6))

    monkeypatch.setattr(counts, "take", outrun)
    answer = tries(HOME, password=PASSWORD)
    assert (answer.status_code, answer["Retry-After"]) == (429, "6")


def test_a_user_in_a_new_place_signs_in_when_the_guessing_pauses(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack()
    answer = tries(ELSEWHERE, password=PASSWORD)
    assert answer.status_code == 429
    later = clock.now() + timedelta(seconds=int(answer["Retry-After"]))
    monkeypatch.setattr(clock, "now", lambda: later)
    assert tries(ELSEWHERE, password=PASSWORD).status_code == 200

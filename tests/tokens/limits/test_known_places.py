"""While somebody guesses at an account, its owner gets in from where they signed in before."""

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import signing
from django.test import Client, RequestFactory
from django.utils import timezone
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.tokens.limits.attempts import (
    ELSEWHERE,
    HOME,
    attack,
    checked,
    sign_in_to_the_admin,
    tries,
)
from tokens import clock, sessions
from tokens.limits import devices, good_networks
from tokens.limits.devices import DEVICE, REMEMBERED_FOR
from tokens.limits.networks import network_of
from tokens.models import EndReason, Session, ThrottleCount

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_atomic_or_not", "_counted")]


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

"""While somebody guesses at an account, staff and whom an operator admits get in."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import PASSWORD
from tests.tokens.limits.attempts import (
    ELSEWHERE,
    HOME,
    attack,
    checked,
    sign_in_to_the_admin,
    tries,
)
from tokens import clock
from tokens.errors import TooManyAttempts
from tokens.limits import counts
from tokens.models import ThrottleCount

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_atomic_or_not", "_counted")]

TABLE = re.compile(r'(?:FROM|INTO) "(\w+)"')


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

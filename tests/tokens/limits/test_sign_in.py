"""Passwords cannot be guessed quickly, and an attacker cannot lock a user out."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.tokens.limits.attempts import ELSEWHERE, HOME, addresses, tries
from tokens.errors import PasswordChanged, TooManyAttempts
from tokens.limits import admission
from tokens.limits.names import account_of
from tokens.models import Session, ThrottleCount
from tokens.sessions import lifecycle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _three_an_hour(settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "3/hour"


def attack(name: str = "ada", *, times: int = 3) -> None:
    """Try wrong passwords of one account from many addresses, until its limit is reached."""
    for address, _ in zip(addresses(), range(times), strict=False):
        assert tries(address, name=name).status_code == 401


def test_one_more_than_the_limit_is_told_when_to_come_back(user: Any) -> None:
    assert [tries(HOME, name=f"user-{number}").status_code for number in range(3)] == [401] * 3
    answer = tries(HOME, password=PASSWORD)
    assert answer.status_code == 429
    assert 1100 <= int(answer["Retry-After"]) <= 1200
    assert answer["Cache-Control"] == "no-store"
    assert answer.json().keys() == {"detail", "error"}
    assert tries(ELSEWHERE, password=PASSWORD).status_code == 200


def test_spraying_one_password_from_one_address_is_slowed(user: Any) -> None:
    statuses = [tries(HOME, name=f"user-{number}").status_code for number in range(20)]
    assert statuses == [401] * 3 + [429] * 17


def test_guessing_at_one_account_from_many_addresses_is_slowed(user: Any) -> None:
    statuses = [
        tries(address).status_code for address, _ in zip(addresses(), range(20), strict=False)
    ]
    assert statuses == [401] * 3 + [429] * 17


@pytest.mark.parametrize(("proxies", "statuses"), [(0, [401] * 3 + [429] * 3), (1, [401] * 6)])
def test_a_forwarded_address_counts_as_far_as_it_is_believed(
    user: Any, settings: Any, proxies: int, statuses: list[int]
) -> None:
    """If it were trusted without a proxy, each attempt could have a new address."""
    settings.TOKENS_TRUSTED_PROXIES = proxies
    answers = [
        APIClient(HTTP_X_FORWARDED_FOR=f"6.6.6.6, 198.51.100.{number}").post(
            "/api/token/", {"username": f"user-{number}", "password": "wrong"}
        )
        for number in range(6)
    ]
    assert [answer.status_code for answer in answers] == statuses


def test_an_unknown_account_is_slowed_like_a_known_one(user: Any) -> None:
    attack("nobody")
    attack("ada")
    unknown, known = tries(ELSEWHERE, name="nobody"), tries(ELSEWHERE, name="ada")
    assert (unknown.status_code, known.status_code) == (429, 429)
    assert unknown.headers.keys() == known.headers.keys()
    # Only the remaining seconds differ, because time passes.
    texts = [re.sub(r"\d+", "n", answer.json()["detail"]) for answer in (unknown, known)]
    assert texts[0] == texts[1]


@pytest.mark.parametrize("spelling", ["ada", "ADA", " ada ", "\uff41da"])
def test_the_spellings_of_a_name_are_one_account(user: Any, spelling: str) -> None:
    attack()
    assert tries(ELSEWHERE, name=spelling).status_code == 429


def test_names_are_kept_as_what_cannot_be_read_back() -> None:
    tries(HOME, name="my password by mistake")
    callers = " ".join(ThrottleCount.objects.values_list("caller", flat=True))
    assert "password" not in callers
    assert account_of("ada") != account_of("bob")
    assert account_of("\ud800")


def test_right_passwords_cost_a_tenth(user: Any) -> None:
    statuses = [tries(HOME, password=PASSWORD).status_code for _ in range(31)]
    # The last one needs the whole cost of a wrong one until its password proves right.
    assert statuses.count(200) == 21
    assert statuses[21:] == [429] * 10


def test_an_office_behind_one_address_signs_in(user: Any, settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "10/min"
    for number in range(30):
        name = f"user-{number}"
        get_user_model().objects.create_user(name, f"{number}@example.org", PASSWORD)
        assert tries(HOME, name=name, password=PASSWORD).status_code == 200


def test_wrong_passwords_stay_counted_when_a_right_one_comes(user: Any) -> None:
    """Otherwise an attacker with an account could reset the limit by signing in."""
    assert tries(HOME).status_code == 401
    assert tries(HOME).status_code == 401
    assert tries(HOME, password=PASSWORD).status_code == 200
    assert tries(HOME).status_code == 429


def test_an_attack_that_never_stops_locks_no_user_out_for_good() -> None:
    """One attempt is free every twenty minutes, however often the attacker was refused."""

    def is_let_in(address: str, second: int) -> bool:
        request = RequestFactory().post("/", REMOTE_ADDR=address)
        try:
            admission.look(request, "ada", now=begun + timedelta(seconds=second)).take()
        except TooManyAttempts as refused:
            waits.append(refused.wait)
            return False
        return True

    begun, waits = timezone.now(), list[timedelta]()
    attacked = [is_let_in(f"198.51.{second // 30}.7", second) for second in range(0, 3600, 30)]
    assert attacked.count(True) == 3 + 2
    assert not is_let_in(HOME, 3599)
    assert is_let_in(HOME, 3600)
    assert max(waits) <= timedelta(minutes=20)


def test_without_limits_nothing_is_counted(user: Any, settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = ""
    assert {tries(HOME).status_code for _ in range(5)} == {401}
    assert tries(HOME, password=PASSWORD).status_code == 200
    assert not ThrottleCount.objects.exists()


def test_each_limit_can_be_switched_off_alone(user: Any, settings: Any) -> None:
    settings.TOKENS_ACCOUNT_THROTTLE = ""
    attack(times=5)
    settings.TOKENS_LOGIN_THROTTLE, settings.TOKENS_ACCOUNT_THROTTLE = "", "3/hour"
    assert [tries(HOME).status_code for _ in range(4)] == [401, 401, 401, 429]


def test_a_refused_attempt_asks_the_database_and_writes_nothing(user: Any) -> None:
    attack()
    with CaptureQueriesContext(connection) as captured:
        assert tries(ELSEWHERE, password=PASSWORD).status_code == 429
    statements = [query["sql"] for query in captured.captured_queries]
    assert [sql.split()[0] for sql in statements] == ["SELECT"]


def test_one_attacker_does_not_fill_the_table(user: Any, settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "1/sec"
    long_ago = int((timezone.now() - timedelta(hours=1)).timestamp() * 1e6)
    ThrottleCount.objects.bulk_create(
        ThrottleCount(caller=f"old {number}", clear_at=long_ago) for number in range(100)
    )
    for address, _ in zip(addresses(), range(10), strict=False):
        tries(address, name=address)
    assert ThrottleCount.objects.filter(caller__startswith="old").count() == 0
    assert ThrottleCount.objects.count() <= 31


def test_a_body_without_a_name_counts_against_no_account() -> None:
    api = APIClient()
    for body in ({}, {"username": "ada"}, {"password": "x"}, {"username": "", "password": "x"}):
        assert api.post("/api/token/", body).status_code == 400
    assert not ThrottleCount.objects.exists()


def test_an_inactive_user_is_refused_although_the_backend_accepts_them(
    user: Any, settings: Any
) -> None:
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.AllowAllUsersModelBackend"]
    wrong = tries(HOME)
    type(user).objects.update(is_active=False)
    inactive = tries(HOME, password=PASSWORD)
    assert (inactive.status_code, inactive.json()) == (wrong.status_code, wrong.json())


within: list[bool] = []


def failing_hook(session: Session) -> dict[str, Any]:
    within.append(connection.in_atomic_block)
    raise RuntimeError("The project's own service is away.")


@pytest.mark.django_db(transaction=True)
def test_a_projects_hook_delays_no_other_sign_in_and_costs_no_attempt(
    user: Any, settings: Any
) -> None:
    settings.TOKENS_CLAIMS_HOOK = f"{__name__}.failing_hook"
    within.clear()
    for _ in range(5):
        with pytest.raises(RuntimeError):
            tries(HOME, password=PASSWORD)
    assert within == [False] * 5


def test_a_sign_in_survives_a_receiver_that_fails(user: Any) -> None:
    from django.contrib.auth.signals import user_logged_in

    def fail(**kwargs: Any) -> None:
        raise OSError("the audit server is down")

    user_logged_in.connect(fail)
    try:
        assert tries(HOME, password=PASSWORD).status_code == 200
    finally:
        user_logged_in.disconnect(fail)


@pytest.mark.django_db(transaction=True)
def test_the_counts_are_locked_before_the_user_as_in_a_transaction_of_a_view(user: Any) -> None:
    """Otherwise two sign-ins of one user, of which one is in such a view, would deadlock."""
    with CaptureQueriesContext(connection) as captured:
        assert tries(HOME, password=PASSWORD).status_code == 200
    written = [query["sql"] for query in captured.captured_queries]
    counted = [number for number, sql in enumerate(written) if ThrottleCount._meta.db_table in sql]
    [inserted] = [n for n, sql in enumerate(written) if f'INTO "{Session._meta.db_table}"' in sql]
    [locked] = [n for n in range(inserted) if f'FROM "{user._meta.db_table}"' in written[n]][-1:]
    assert max(counted) < locked


def test_a_sign_in_that_comes_to_nothing_counts_as_a_wrong_password(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed_meanwhile(*args: Any, **kwargs: Any) -> None:
        raise PasswordChanged("meanwhile")

    monkeypatch.setattr(lifecycle, "_lock_unchanged", changed_meanwhile)
    statuses = [tries(HOME, password=PASSWORD).status_code for _ in range(4)]
    assert statuses == [401] * 3 + [429]

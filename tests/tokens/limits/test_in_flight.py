"""A process checks a bounded number of passwords at once, and says so to the others."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tokens.errors import TooManyAtOnce
from tokens.limits import in_flight
from tokens.limits.in_flight import password_check
from tokens.models import ThrottleCount


@pytest.fixture(autouse=True)
def _one_at_once(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TOKENS_PASSWORD_CHECKS = 1
    monkeypatch.setattr(in_flight, "LONGEST_WAIT", 0.01)


@contextmanager
def checked_by_others(*, reserved: bool = False) -> Iterator[None]:
    """While this runs, another thread checks a password."""
    begun, over = threading.Event(), threading.Event()

    def check() -> None:
        with password_check(reserved=reserved):
            begun.set()
            over.wait(60)

    thread = threading.Thread(target=check)
    thread.start()
    assert begun.wait(60)
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_one_too_many_is_refused_and_later_there_is_room_again() -> None:
    with checked_by_others(), pytest.raises(TooManyAtOnce), password_check():
        pass
    with password_check():
        pass


def test_a_known_caller_has_one_more_place() -> None:
    with checked_by_others():
        with password_check(reserved=True):
            pass
        refused = pytest.raises(TooManyAtOnce)
        with checked_by_others(reserved=True), refused, password_check(reserved=True):
            pass


def test_known_callers_do_not_keep_the_others_out() -> None:
    """At the admin's page, anybody may have the reserved place."""
    with checked_by_others(reserved=True), password_check():
        pass
    with checked_by_others(reserved=True):
        with checked_by_others(reserved=True):
            pass
        with password_check():
            pass


def test_one_waits_for_a_place_and_the_next_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_flight, "LONGEST_WAIT", 60)
    done = threading.Event()

    def check() -> None:
        with password_check():
            done.set()

    with checked_by_others():
        waiting = threading.Thread(target=check)
        waiting.start()
        deadline = time.monotonic() + 60
        while not in_flight._waiting[False]:
            assert time.monotonic() < deadline, "no request waits"
        with pytest.raises(TooManyAtOnce), password_check():
            pass
        assert not done.is_set()
    waiting.join(60)
    assert done.is_set()


def test_waiting_callers_come_before_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(in_flight._waiting, False, 1)
    with pytest.raises(TooManyAtOnce), password_check():
        pass
    with password_check(reserved=True):
        pass


def test_without_a_bound_any_number_is_checked(settings: Any) -> None:
    settings.TOKENS_PASSWORD_CHECKS = 0
    with password_check(), password_check(), password_check():
        pass


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/token/", "/admin/login/", "/api/me/password/"])
def test_an_answer_says_when_to_try_again_and_no_sign_in_is_counted(
    user: Any, settings: Any, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "10/min"
    client = APIClient()
    body = {"username": "nobody", "password": PASSWORD}
    if path == "/api/me/password/":
        client.force_authenticate(user)
        body = {"current_password": "x", "new_password": "a rather different sentence"}
    with checked_by_others(), checked_by_others(reserved=True):
        answer = client.post(path, body, format="multipart")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "1"
    if path != "/api/me/password/":
        # Nothing that is mailed to ADMINS.
        assert [record.levelname for record in caplog.records if record.levelno >= 40] == []
    assert not ThrottleCount.objects.exclude(caller__startswith="password").exists()
    assert "password_not_checked address=127.0.0.1 at_once=1" in caplog.text
    assert "sign_in_failed" not in caplog.text

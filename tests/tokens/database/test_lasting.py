"""Promise 4: what was taken back or counted lasts, whatever becomes of the caller's transaction."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.contrib.auth import authenticate as django_authenticate
from django.contrib.auth import get_user_model
from django.db import DatabaseError, transaction
from django.test import RequestFactory

from tests.conftest import PASSWORD
from tests.support.grace import rotate_twice
from tests.support.rollbacks import (
    TAKES_BACK,
    Failure,
    end,
    fails,
    fails_in_the_database,
    is_refused,
    marks_for_rollback,
    rolled_back,
    savepoint,
)
from tokens import denylist, keyring, sessions, signals
from tokens.database import lasting
from tokens.errors import RefreshTokenReused, TooManyAttempts
from tokens.limits import sign_in
from tokens.models import DeniedToken, EndReason, Session, ThrottleCount
from tokens.sessions import TokenPair

transactional = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pair(user: Any) -> TokenPair:
    keyring.ensure()
    return sessions.start(user)


@transactional
@pytest.mark.parametrize("take_back", TAKES_BACK)
@pytest.mark.parametrize("fail", [fails, fails_in_the_database, marks_for_rollback])
class TestATransactionThatIsRolledBack:
    def test_undoes_no_revocation(
        self, pair: TokenPair, take_back: Callable[[TokenPair], None], fail: Callable[..., None]
    ) -> None:
        with rolled_back(fail):
            take_back(pair)
        assert is_refused(pair)

    def test_undoes_none_if_only_a_savepoint_is_rolled_back(
        self, pair: TokenPair, take_back: Callable[[TokenPair], None], fail: Callable[..., None]
    ) -> None:
        with transaction.atomic():
            with rolled_back(fail):
                take_back(pair)
            assert is_refused(pair)
        assert is_refused(pair)

    def test_undoes_none_if_savepoint_and_transaction_are_rolled_back(
        self, pair: TokenPair, take_back: Callable[[TokenPair], None], fail: Callable[..., None]
    ) -> None:
        with rolled_back(), rolled_back(fail):
            take_back(pair)
        assert is_refused(pair)

    def test_undoes_none_without_a_savepoint(
        self, pair: TokenPair, take_back: Callable[[TokenPair], None], fail: Callable[..., None]
    ) -> None:
        try:
            with transaction.atomic():
                try:
                    with transaction.atomic(savepoint=False):
                        take_back(pair)
                        fail()
                except Failure:
                    pass
        except DatabaseError:
            pass
        assert is_refused(pair)


@pytest.mark.django_db
@pytest.mark.parametrize("take_back", TAKES_BACK)
def test_a_revocation_lasts_in_a_test_case_that_runs_in_a_transaction(
    pair: TokenPair, take_back: Callable[[TokenPair], None]
) -> None:
    with rolled_back():
        take_back(pair)
    assert is_refused(pair)


@pytest.mark.django_db
class TestAfterATestCase:
    def test_first_a_session_ends_in_a_transaction(self, pair: TokenPair) -> None:
        with transaction.atomic():
            end(pair)

    def test_then_nothing_was_done_again(self) -> None:
        assert not DeniedToken.objects.exists()


@transactional
def test_a_revocation_lasts_after_a_rollback_to_a_savepoint_made_by_hand(pair: TokenPair) -> None:
    with transaction.atomic():
        sid = savepoint()
        end(pair)
        transaction.savepoint_rollback(sid)
    assert is_refused(pair)


@transactional
def test_what_was_done_before_a_savepoint_is_not_done_again(user: Any, pair: TokenPair) -> None:
    other = sessions.start(user)
    ended: list[Any] = []

    def receiver(sender: Any, sid: Any, **kwargs: Any) -> None:
        ended.append(sid)

    signals.session_ended.connect(receiver)
    with transaction.atomic():
        end(pair)
        with rolled_back():
            end(other)
    signals.session_ended.disconnect(receiver)
    assert ended == [pair.session.pk, other.session.pk]


@transactional
def test_a_reuse_lasts_and_is_reported_once(
    pair: TokenPair, caplog: pytest.LogCaptureFixture
) -> None:
    rotate_twice(pair)
    with pytest.raises(RefreshTokenReused), transaction.atomic():
        sessions.refresh(pair.raw_refresh)
    assert Session.objects.get().end_reason == EndReason.REUSE
    messages = [record.getMessage().split()[0] for record in caplog.records]
    assert messages.count("reuse_detected") == 1
    assert messages.count("session_ended") == 1


@transactional
def test_a_pair_given_again_stays_counted(pair: TokenPair) -> None:
    sessions.refresh(pair.raw_refresh)
    with rolled_back():
        sessions.refresh(pair.raw_refresh)
    assert Session.objects.get().repeats == 1


@transactional
def test_failed_attempts_to_sign_in_stay_counted(user: Any, settings: Any) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "3/day"
    request = RequestFactory().post("/")
    wrong = {"username": user.username, "password": "wrong"}
    for _ in range(3):
        with rolled_back():
            assert sign_in.authenticate(request, **wrong) is None
    with pytest.raises(TooManyAttempts), transaction.atomic():
        sign_in.authenticate(request, **wrong)
    assert ThrottleCount.objects.exists()


@transactional
@pytest.mark.parametrize("authenticate", [sign_in.authenticate, django_authenticate])
def test_a_right_password_costs_a_tenth_although_the_transaction_is_rolled_back(
    user: Any, settings: Any, authenticate: Callable[..., Any]
) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "3/day"
    request = RequestFactory().post("/")
    for _ in range(10):
        with rolled_back():
            assert authenticate(request, username="ada", password=PASSWORD) == user


@transactional
def test_a_deactivation_that_is_rolled_back_ends_no_session(user: Any, pair: TokenPair) -> None:
    """The sessions end as a part of the change to the user, which did not happen."""
    with rolled_back():
        user.is_active = False
        user.save()
    assert not is_refused(pair)


@transactional
@pytest.mark.parametrize("take_back", TAKES_BACK)
def test_a_user_who_signed_up_in_the_transaction_is_no_obstacle(
    take_back: Callable[[TokenPair], None],
) -> None:
    keyring.ensure()
    with rolled_back():
        take_back(sessions.start(get_user_model().objects.create_user("eve")))
    assert not DeniedToken.objects.exists()


@transactional
def test_what_cannot_be_done_again_in_the_transaction_is_done_after_it(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny = denylist.deny
    calls: list[Any] = []

    def fail_once(*args: Any, **how: Any) -> None:
        calls.append(args)
        if len(calls) == 2:
            raise DatabaseError("the disk is full")
        deny(*args, **how)

    monkeypatch.setattr("tokens.denylist.deny", fail_once)
    with transaction.atomic(), rolled_back():
        end(pair)
    assert len(calls) == 3
    assert is_refused(pair)


@transactional
def test_one_that_cannot_be_done_again_keeps_no_other_from_it(
    pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sessions.start(pair.session.user)
    deny = denylist.deny
    calls: list[Any] = []

    def fail_at_the_third(*args: Any, **how: Any) -> None:
        calls.append(args)
        if len(calls) == 3:
            raise DatabaseError("the disk is full")
        deny(*args, **how)

    monkeypatch.setattr("tokens.denylist.deny", fail_at_the_third)

    def end_both() -> None:
        with transaction.atomic():
            end(pair)
            end(other)
            transaction.set_rollback(True)

    with pytest.raises(DatabaseError, match="disk"):
        end_both()
    assert is_refused(other)


@transactional
def test_the_rollback_of_a_test_case_undoes_what_the_test_did(pair: TokenPair) -> None:
    """Django's TestCase has a transaction for the class, and a savepoint for each test."""
    of_class, of_test = transaction.atomic(), transaction.atomic()
    for block in (of_class, of_test):
        block._from_testcase = True  # type: ignore[attr-defined]
    with of_class:
        with suppress(Failure), of_test:
            with transaction.atomic():
                end(pair)
            raise Failure
        assert not is_refused(pair)


@transactional
@pytest.mark.parametrize(
    "call",
    [
        *TAKES_BACK,
        lambda pair: sessions.refresh(pair.raw_refresh),
        lambda pair: sessions.verify(pair.raw_refresh),
        lambda pair: sessions.find_by_refresh_token(pair.raw_refresh),
        lambda pair: lasting.do(fails, Session),
    ],
)
def test_without_autocommit_nothing_is_done(
    pair: TokenPair, call: Callable[[TokenPair], Any]
) -> None:
    transaction.set_autocommit(False)
    try:
        with pytest.raises(RuntimeError, match="Nothing was done"):
            call(pair)
        with pytest.raises(RuntimeError, match="Nothing was done"), transaction.atomic():
            call(pair)
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
    assert not is_refused(pair)


@transactional
@pytest.mark.parametrize(
    "call",
    [
        lambda: keyring.rotate(keyring.plan_rotation()),
        lambda: keyring.publish("HS256"),
        lambda: keyring.reseal(),
    ],
)
def test_the_key_ring_is_not_changed_in_a_transaction_of_the_caller(
    pair: TokenPair, call: Callable[[], Any]
) -> None:
    with pytest.raises(RuntimeError, match="Nothing was done"), transaction.atomic():
        call()
    assert not is_refused(pair)

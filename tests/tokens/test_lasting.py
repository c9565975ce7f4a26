"""Promise 4: what was taken back or counted lasts, whatever becomes of the caller's transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, call_command
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from tests.support.grace import rotate_twice
from tokens import denylist, keyring, lasting, sessions, signals
from tokens.errors import RefreshTokenReused, SessionEnded, TokenError, TooManyAttempts
from tokens.limits import sign_in
from tokens.models import DeniedToken, EndReason, Session, ThrottleCount
from tokens.sessions import TokenPair

transactional = pytest.mark.django_db(transaction=True)


class Failure(Exception):
    """What makes the caller's transaction fail."""


def end(pair: TokenPair) -> None:
    sessions.end([pair.session], reason=EndReason.LOGOUT)


def end_all(pair: TokenPair) -> None:
    sessions.end_all(pair.session.user, reason=EndReason.REVOKED)


def revoke_refresh_token(pair: TokenPair) -> None:
    sessions.revoke(pair.raw_refresh)


def revoke_access_token(pair: TokenPair) -> None:
    sessions.revoke(pair.raw_access)


TAKES_BACK = [end, end_all, revoke_refresh_token, revoke_access_token]


def fails(*_: Any) -> None:
    raise Failure


def fails_in_the_database(*_: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM no_such_table")


def marks_for_rollback(*_: Any) -> None:
    """As DRF does with a transaction of the request when a view raises."""
    transaction.set_rollback(True)


@contextmanager
def rolled_back(fail: Callable[..., None] = fails) -> Iterator[None]:
    """Run the block in a transaction that is rolled back at its end."""
    try:
        with transaction.atomic():
            yield
            fail()
    except (Failure, DatabaseError):
        pass


def is_refused(pair: TokenPair) -> bool:
    try:
        sessions.authenticate(pair.raw_access)
    except TokenError:
        return True
    return False


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
        sid = transaction.savepoint()
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


class RevokingView(APIView):
    """A view of a project that runs with ATOMIC_REQUESTS."""

    def post(self, request: Request) -> Response:
        sessions.end_all(request.user, reason=EndReason.REVOKED)
        if request.data.get("fails"):
            raise Failure
        raise SessionEnded("This makes DRF roll back the transaction.")


class RefreshingView(APIView):
    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        pair = sessions.refresh(request.data["refresh"])
        return Response({"refresh": pair.raw_refresh})


urlpatterns = [
    path("revoke/", RevokingView.as_view()),
    path("refresh/", RefreshingView.as_view()),
]


@pytest.fixture
def client(settings: Any, monkeypatch: pytest.MonkeyPatch) -> APIClient:
    settings.ROOT_URLCONF = __name__
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    return APIClient(raise_request_exception=False)


@transactional
@pytest.mark.parametrize(("body", "status"), [({"fails": True}, 500), ({}, 401)])
def test_a_view_under_atomic_requests_that_fails_has_ended_the_sessions(
    client: APIClient, pair: TokenPair, body: dict[str, Any], status: int
) -> None:
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    assert client.post("/revoke/", body).status_code == status
    assert client.post("/revoke/", body).status_code == 401
    assert Session.objects.get().end_reason == EndReason.REVOKED


@transactional
def test_a_refreshing_view_under_atomic_requests_ends_the_session_of_a_reuse(
    client: APIClient, pair: TokenPair
) -> None:
    rotate_twice(pair)
    assert client.post("/refresh/", {"refresh": pair.raw_refresh}).status_code == 401
    assert Session.objects.get().end_reason == EndReason.REUSE


class Command(BaseCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            sessions.end_all(get_user_model().objects.get(), reason=EndReason.REVOKED)
            raise Failure


@transactional
def test_a_command_that_fails_has_ended_the_sessions(pair: TokenPair) -> None:
    with pytest.raises(Failure):
        call_command(Command())
    assert is_refused(pair)


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

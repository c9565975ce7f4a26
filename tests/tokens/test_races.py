"""Promise 2: the database decides races between several processes with real connections."""

import time
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from tests.support.races import PROCESSES, THREADS, race
from tokens import keyring, sessions
from tokens.errors import Denied, SessionEnded
from tokens.models import Session, SigningKey, ThrottleCount
from tokens.operations import pruning

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def _signing_key(tokens_process: None) -> None:
    # A flushed test database lacks the keys that its migrations created.
    keyring.ensure()


def wait_for_a_lock() -> None:
    """Wait until another connection waits for a lock."""
    with connection.cursor() as cursor:
        waiting, deadline = 0, time.monotonic() + 20
        while not waiting and time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            (waiting,) = cursor.fetchone()


@pytest.mark.parametrize("verb", ["refresh", "arefresh", "arefresh_at_once"])
def test_fifty_parallel_refreshes_with_one_token_yield_one_successor(user: Any, verb: str) -> None:
    pair = sessions.start(user)
    answers = race(*[verb] * PROCESSES, raw_token=pair.raw_refresh)
    assert len(answers) == PROCESSES * THREADS >= 50
    assert len(set(answers)) == 1, set(answers)
    assert Session.objects.get().generation == 1
    successor = sessions.refresh(answers[0])
    sessions.authenticate(successor.raw_access)


@pytest.mark.parametrize("verbs", [("refresh", "end"), ("arefresh", "aend")])
def test_a_session_that_is_ended_during_refreshes_stays_ended(
    user: Any, verbs: tuple[str, str]
) -> None:
    pair = sessions.start(user)
    answers = race(*verbs, *verbs, raw_token=pair.raw_refresh)
    allowed = ("ended", "SessionEnded", "Denied", "ey")
    assert all(answer.startswith(allowed) for answer in answers), set(answers)
    assert "ended" in answers
    assert Session.objects.get().ended_at is not None
    with pytest.raises(SessionEnded):
        sessions.authenticate(pair.raw_access)
    for raw_refresh in {answer for answer in answers if answer.startswith("ey")}:
        with pytest.raises(SessionEnded):
            sessions.refresh(raw_refresh)


def test_of_many_rotations_at_once_one_wins_and_the_others_say_so() -> None:
    before = set(SigningKey.objects.values_list("kid", flat=True))
    answers = race(*["rotate"] * PROCESSES)
    assert answers.count("rotated") == 1, answers
    refused = "RotationConflict: Another rotation was first. Nothing was changed by this one."
    assert set(answers) == {"rotated", refused}
    after = dict(SigningKey.objects.values_list("state", "kid"))
    assert set(after) == {"signing", "next", "retired"}
    assert set(after.values()) > before


@pytest.mark.skipif(connection.vendor != "postgresql", reason="one writer at a time on SQLite")
def test_a_sign_in_that_waits_for_a_revocation_is_refused_for_good(user: Any) -> None:
    pairs = []

    def sign_in() -> None:
        pairs.append(sessions.start(user))
        connection.close()

    waiting = Thread(target=sign_in)
    with transaction.atomic():
        sessions.lock(user)
        waiting.start()
        wait_for_a_lock()
        sessions.revoke_user(user, note="a test")
    waiting.join()
    later = timezone.now() + timedelta(days=1)
    pruning.prune(now=later)
    with pytest.raises(Denied):
        sessions.refresh(pairs[0].raw_refresh, now=later)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="one writer at a time on SQLite")
def test_a_rotation_does_not_miss_a_longer_life_that_is_being_written_down() -> None:
    began, plan, longer = timezone.now(), keyring.plan_rotation(), timedelta(days=80)

    def rotate() -> None:
        keyring.rotate(plan)
        connection.close()

    rotation = Thread(target=rotate)
    with transaction.atomic():
        SigningKey.objects.filter(state="signing").update(longest_life=longer)
        rotation.start()
        wait_for_a_lock()
    rotation.join()
    former = SigningKey.objects.get(kid=plan.former)
    assert former.verifies_until
    assert former.verifies_until >= began + longer


@pytest.mark.parametrize("same", ["address", "account"])
def test_of_many_attempts_at_once_exactly_the_limit_is_let_in(same: str) -> None:
    """If attempts were counted after the password check, a burst would pass entirely."""
    answers = race(*["guess"] * PROCESSES, raw_token=same)
    refused = [answer for answer in answers if answer.startswith("TooManyAttempts: ")]
    assert len(answers) == PROCESSES * THREADS
    assert (answers.count("admitted"), len(refused)) == (10, PROCESSES * THREADS - 10)


def test_parallel_sign_ins_give_back_each_its_own() -> None:
    before = time.time()
    answers = race(*["sign_in"] * PROCESSES)
    assert set(answers) == {"signed in"}
    of_network, of_account = 3600 / 500 / 10 * len(answers), 0.0  # seconds
    counted = ThrottleCount.objects.filter(caller__startswith="login").order_by("clear_at")
    clear_at = [instant / 1e6 for instant in counted.values_list("clear_at", flat=True)]
    for instant, cost in zip(clear_at, (of_account, of_network), strict=True):
        assert before + cost <= instant <= time.time() + cost

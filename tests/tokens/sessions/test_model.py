"""
Promises 1 to 3 and 8 against a model: random histories of sign-in, calls, refreshes, replays,
revocations, waiting, password changes and prunings, and after each step the answer that the model gives.

Browsers send several calls in parallel, without a lock, and lose answers: none of them is signed out.
A thief copies what a browser holds, and follows its owner. ``test_model_on_proof`` has the other value of
TOKENS_ROTATION.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tokens import sessions
from tokens.errors import TokenError
from tokens.models import EndReason, Session
from tokens.operations import pruning
from tokens.sessions import seen

from .modelled import ABSOLUTE, ACCESS, GRACE, IDLE, LEEWAY, RETENTION, Modelled

pytestmark = pytest.mark.slow

START = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class Held:
    """A pair that somebody holds."""

    pair: sessions.TokenPair = field(repr=False)
    of: Modelled
    generation: int
    dated: int
    refresh_until: int

    def calls(self, now: int) -> bool:
        until = min(self.dated + ACCESS, self.refresh_until)
        good = not self.of.ended_as and self.generation not in self.of.denied
        return good and now < until + LEEWAY

    def refreshes(self, now: int) -> bool:
        """Return whether the table is asked at all."""
        return not self.of.ended_as and now < self.refresh_until + LEEWAY


@dataclass(eq=False)
class Browser:
    """A page that calls in parallel, with one store for its tokens and no lock."""

    store: Held


class Histories(RuleBasedStateMachine):
    pairs = Bundle("pairs")
    browsers = Bundle("browsers")
    on_proof = False

    @initialize()
    def begin(self) -> None:
        name = uuid4().hex
        self.user: Any = get_user_model().objects.create_user(name, f"{name}@example.org", "first")
        self.now = START
        self.modelled: list[Modelled] = []
        seen.forget()

    @property
    def instant(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

    def accepted(self, verb: Any, raw_token: str) -> Any:
        try:
            return verb(raw_token, now=self.instant)
        except TokenError:
            return None

    def start(self) -> Held:
        until = self.now + IDLE
        modelled = Modelled(self.now + ABSOLUTE, until, self.now, on_proof=self.on_proof)
        self.modelled.append(modelled)
        return Held(sessions.start(self.user, now=self.instant), modelled, 0, self.now, until)

    def check_call(self, held: Held) -> None:
        expected = held.calls(self.now)
        assert bool(self.accepted(sessions.authenticate, held.pair.raw_access)) is expected
        if expected:
            held.of.use(held.generation)

    def check_refresh(self, held: Held) -> Held | None:
        of = held.of
        expected = held.refreshes(self.now) and of.would_refresh(held.generation, self.now)
        if held.refreshes(self.now):
            of.refresh(held.generation, self.now)
        pair = self.accepted(sessions.refresh, held.pair.raw_refresh)
        assert bool(pair) is expected
        row = Session.objects.filter(pk=held.pair.session.pk).first()
        if row is None:
            # Pruned, and so refused; a session that a token can still continue is not.
            assert not expected
            return None
        assert (row.generation, row.end_reason) == (of.generation, of.ended_as)
        assert (row.repeats, row.seen) == (of.repeats, of.seen)
        return Held(pair, of, of.generation, self.now, of.idle_until) if pair else None

    @rule(target=pairs)
    def sign_in(self) -> Held:
        return self.start()

    @rule(held=pairs)
    def call(self, held: Held) -> None:
        self.check_call(held)

    @rule(held=pairs, target=pairs)
    def refresh(self, held: Held) -> Any:
        return self.check_refresh(held) or multiple()

    @rule(held=pairs)
    def verify(self, held: Held) -> None:
        """Without an effect, except that a superseded token is counted."""
        of, asked = held.of, held.refreshes(self.now)
        expected = asked and of.would_refresh(held.generation, self.now)
        of.repeats += asked and of.position(held.generation) != of.generation
        assert bool(self.accepted(sessions.verify, held.pair.raw_refresh)) is expected

    @rule(held=pairs)
    def revoke_access(self, held: Held) -> None:
        if held.calls(self.now):
            held.of.denied.add(held.generation)
            held.of.seen = held.of.seen or held.generation == held.of.generation
            held.of.use(held.generation)
        self.accepted(sessions.revoke, held.pair.raw_access)

    @rule(held=pairs)
    def revoke_refresh(self, held: Held) -> None:
        if held.refreshes(self.now):
            known = held.of.would_refresh(held.generation, self.now)
            held.of.end(EndReason.LOGOUT if known else EndReason.REUSE)
        self.accepted(sessions.revoke, held.pair.raw_refresh)

    @rule(target=browsers)
    def open_a_page(self) -> Browser:
        return Browser(self.start())

    @rule(
        browser=browsers,
        calls=st.lists(
            st.tuples(st.integers(0, 3), st.integers(0, GRACE // 5), st.booleans(), st.booleans()),
            min_size=2,
            max_size=5,
        ),
    )
    def call_in_parallel(self, browser: Browser, calls: list[tuple[int, int, bool, bool]]) -> None:
        """Each call reads the store, queues, and refreshes; its answer may be lost, or used."""
        queued = [browser.store] * 3
        for number, seconds, lost, used in calls:
            self.now += seconds
            held = queued.pop(number % len(queued))
            may_come = held.refreshes(self.now)
            answer = self.check_refresh(held)
            assert answer or not may_come or held.of.stolen, "an honest client was signed out"
            if answer and not lost:
                browser.store = answer
                if used:
                    self.check_call(answer)
                    self.write_notes()
            queued.append(browser.store)

    @rule(browser=browsers, target=pairs)
    def steal(self, browser: Browser) -> Held:
        """From now on, the other rules use a copy of what this browser holds."""
        browser.store.of.stolen = True
        return browser.store

    @rule()
    def write_notes(self) -> None:
        for modelled in self.modelled:
            modelled.write_notes()
        seen.flush()

    @rule()
    def lose_notes(self) -> None:
        for modelled in self.modelled:
            modelled.noted = -1
        seen.forget()

    @rule(seconds_off=st.sampled_from([-5, 0, 5]))
    def prune(self, seconds_off: int) -> None:
        # By a clock that is not quite ours: no answer of the model's changes because of it.
        pruning.prune(now=self.instant + timedelta(seconds=seconds_off))

    @rule()
    def end_everything(self) -> None:
        for modelled in self.modelled:
            modelled.end(EndReason.REVOKED)
        sessions.end_all(self.user, reason=EndReason.REVOKED, now=self.instant)

    @precondition(lambda self: self.modelled)
    @rule(password=st.sampled_from(["first", "second"]))
    def change_password(self, password: str) -> None:
        # The same password again has a new salt, so it ends the sessions as well.
        for modelled in self.modelled:
            modelled.end(EndReason.PASSWORD_CHANGED)
        self.user.set_password(password)
        # What a save brings about has no instant to be given.
        with mock.patch("tokens.clock.now", return_value=self.instant):
            self.user.save()

    @rule(
        seconds=st.sampled_from([1, GRACE - 1, GRACE, GRACE + 1, ACCESS, ACCESS + LEEWAY, 86400])
        | st.sampled_from([IDLE - 1, IDLE, IDLE + LEEWAY, ABSOLUTE - 86400, RETENTION])
    )
    def wait(self, seconds: int) -> None:
        self.now += seconds


def run_histories(examples: int, machine: type[Histories] = Histories) -> None:
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(
            max_examples=examples,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.django_db
def test_random_histories_go_as_the_model_says() -> None:
    run_histories(300)

"""
Promises 1 to 3 and 8 against a model: random histories of sign-in, calls, refreshes, replays,
revocations, waiting, password changes and prunings, and after each step the answer that the model gives.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from hypothesis import HealthCheck, settings
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
from tokens.denylist import snapshot
from tokens.errors import TokenError
from tokens.models import EndReason, Session
from tokens.operations import pruning

LEEWAY, GRACE, ACCESS, IDLE, ABSOLUTE = 10, 10, 300, 14 * 86400, 90 * 86400  # seconds
RETENTION = 90 * 86400
START = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())


@dataclass(eq=False)
class Modelled:
    """The ten-line model of a session; instants are whole seconds."""

    limit: int
    rotated: int
    generation: int = 0
    ended: bool = False
    denied: set[int] = field(default_factory=set)

    def calls(self, generation: int, issued: int, now: int) -> bool:
        expires = min(issued + ACCESS, self.limit)
        return not self.ended and generation not in self.denied and now < expires + LEEWAY

    def refresh(self, generation: int, issued: int, now: int) -> bool:
        if self.ended or now >= min(issued + IDLE, self.limit) + LEEWAY:
            return False
        if generation == self.generation:
            self.generation, self.rotated = self.generation + 1, now
            return True
        in_grace = generation == self.generation - 1 and now - self.rotated <= GRACE
        self.ended = not in_grace
        return in_grace


@dataclass(frozen=True)
class Held:
    """A pair that somebody holds."""

    pair: sessions.TokenPair = field(repr=False)
    of: Modelled
    generation: int
    issued: int


class Histories(RuleBasedStateMachine):
    pairs = Bundle("pairs")

    @initialize()
    def begin(self) -> None:
        name = uuid4().hex
        self.user: Any = get_user_model().objects.create_user(name, f"{name}@example.org", "first")
        self.now = START
        self.modelled: list[Modelled] = []

    @property
    def instant(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)

    def accepted(self, verb: Any, raw_token: str) -> Any:
        try:
            return verb(raw_token, now=self.instant)
        except TokenError:
            return None

    @rule(target=pairs)
    def sign_in(self) -> Held:
        modelled = Modelled(limit=self.now + ABSOLUTE, rotated=self.now)
        self.modelled.append(modelled)
        return Held(sessions.start(self.user, now=self.instant), modelled, 0, self.now)

    @rule(held=pairs)
    def call(self, held: Held) -> None:
        expected = held.of.calls(held.generation, held.issued, self.now)
        assert bool(self.accepted(sessions.authenticate, held.pair.raw_access)) is expected

    @rule(held=pairs, target=pairs)
    def refresh(self, held: Held) -> Any:
        expected = held.of.refresh(held.generation, held.issued, self.now)
        pair = self.accepted(sessions.refresh, held.pair.raw_refresh)
        assert bool(pair) is expected
        row = Session.objects.filter(pk=held.pair.session.pk).first()
        if row is None:
            # Pruned, and so refused; a session that a token can still continue is not.
            assert not expected
            return multiple()
        assert (row.generation, row.ended_at is not None) == (held.of.generation, held.of.ended)
        if pair is None:
            return multiple()
        return Held(pair, held.of, held.of.generation, held.of.rotated)

    @rule(held=pairs)
    def revoke_access(self, held: Held) -> None:
        if held.of.calls(held.generation, held.issued, self.now):
            held.of.denied.add(held.generation)
        self.accepted(sessions.revoke, held.pair.raw_access)

    @rule(held=pairs)
    def revoke_refresh(self, held: Held) -> None:
        if self.now < min(held.issued + IDLE, held.of.limit) + LEEWAY:
            held.of.ended = True
        self.accepted(sessions.revoke, held.pair.raw_refresh)

    @rule(seconds_off=st.sampled_from([-5, 0, 5]))
    def prune(self, seconds_off: int) -> None:
        # By a clock that is not quite ours: no answer of the model's changes because of it.
        pruning.prune(now=self.instant + timedelta(seconds=seconds_off))

    @rule()
    def end_everything(self) -> None:
        for modelled in self.modelled:
            modelled.ended = True
        sessions.end_all(self.user, reason=EndReason.REVOKED, now=self.instant)

    @precondition(lambda self: self.modelled)
    @rule(password=st.sampled_from(["first", "second"]))
    def change_password(self, password: str) -> None:
        # The same password again has a new salt, so it ends the sessions as well.
        for modelled in self.modelled:
            modelled.ended = True
        self.user.set_password(password)
        # What a save brings about has no instant to be given.
        with mock.patch("django.utils.timezone.now", return_value=self.instant):
            self.user.save()

    @rule(
        seconds=st.sampled_from([1, 9, 10, 11, ACCESS - 1, ACCESS, ACCESS + LEEWAY, 86400])
        | st.sampled_from([IDLE - 1, IDLE, IDLE + LEEWAY, ABSOLUTE - 86400, RETENTION])
    )
    def wait(self, seconds: int) -> None:
        self.now += seconds


def run_histories(examples: int) -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
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
    run_histories(600)


@pytest.mark.django_db(transaction=True)
def test_random_histories_go_the_same_way_in_the_snapshot_mode(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOKENS_DENYLIST_MODE = "snapshot"
    settings.TOKENS_DENYLIST_MAX_STALENESS = timedelta(hours=1)
    # The histories run ahead of the clock by which a password change denies.
    monkeypatch.setattr(snapshot, "SLACK", timedelta(days=3650))
    run_histories(150)
    assert len(snapshot._snapshot) > 100

"""A small part of ``make explore``: every schedule of a few scenarios, and of a fault."""

from unittest import mock

import pytest

from .faults import FAULTS, find
from .scenarios import SCENARIOS
from .search import explore

SMALL = ("two tabs refresh", "a thief is late")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.parametrize("name", SMALL)
def test_every_schedule_keeps_the_promises(name: str) -> None:
    outcome = explore(SCENARIOS[name])
    assert outcome.violations == {}
    assert outcome.covered > outcome.schedules > 0


def test_a_fault_is_noticed() -> None:
    assert find(FAULTS["a rotation wins whatever the generation is"]).violations


@pytest.mark.parametrize("name", FAULTS)
def test_what_a_fault_replaces_exists(name: str) -> None:
    """``make explore ARGS=--faults`` shows that each of them is noticed."""
    with mock.patch(f"tokens.{FAULTS[name].target}", FAULTS[name].by):
        assert FAULTS[name].scenario in SCENARIOS

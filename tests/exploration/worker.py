"""A process of ``make explore``, with a database of its own. Imports nothing that needs settings."""

import os
from dataclasses import dataclass, field
from typing import Any

import django
from django.core.management import call_command
from django.db import connection


@dataclass
class Outcome:
    """What a search found. The states of ``schedules`` runs stand for all ``covered`` schedules."""

    name: str
    schedules: int = 0
    states: int = 0
    covered: int = 0
    seconds: float = 0.0
    # Each with the schedule that shows it.
    violations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    verdict: str = ""
    is_wrong: bool = False


def set_up(urls: Any) -> None:
    """Take one of the databases."""
    os.environ.update(DATABASE_URL=urls.get(), DJANGO_SETTINGS_MODULE="tests.exploration.settings")
    django.setup()
    from tokens.database.background import forbid_threads

    forbid_threads()
    call_command("migrate", verbosity=0)


def names(*, faults: bool, only: str) -> list[str]:
    from .faults import FAULTS
    from .scenarios import SCENARIOS

    chosen: Any = FAULTS if faults else SCENARIOS
    return [n for n in chosen if only in n and chosen[n].only_on in ("", connection.vendor)]


def check_scenario(name: str) -> Outcome:
    """Return what the search found. It is wrong if that is not what is known."""
    from .scenarios import SCENARIOS
    from .search import explore

    outcome, known = explore(SCENARIOS[name]), SCENARIOS[name].known.get(connection.vendor)
    outcome.is_wrong = bool(outcome.violations) != bool(known)
    if outcome.violations:
        outcome.verdict = f"known: {known}" if known else "BROKEN"
    elif known:
        outcome.verdict = f"NO LONGER: {known}"
    return outcome


def check_fault(name: str) -> Outcome:
    """Return what the search found while the fault was there. It is wrong if that is nothing."""
    from .faults import FAULTS, find

    outcome = find(FAULTS[name])
    outcome.is_wrong = not outcome.violations
    outcome.verdict = next(iter(outcome.violations), "NOT NOTICED")
    return outcome

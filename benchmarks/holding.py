"""Time a snapshot that holds many denials, all of which still matter."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.utils import timezone

from tokens.models import DeniedToken
from tokens.snapshot.copy import Copy

from . import data
from .measure import Timings, interleave

DENIALS = 100_000
ROUNDS = 7


def rows(authenticate: Callable[[], Any]) -> dict[str, Timings]:
    """Time the snapshot's readings and ``authenticate``. The denials stay in the database."""
    data.make_denials(DENIALS)
    readings: dict[str, list[float]] = {"the first": [], "a later one": [], "and forgetting": []}
    for _ in range(ROUNDS):
        held = Copy()
        readings["the first"].append(_reading(held))
        assert len(held) >= DENIALS
        readings["a later one"].append(_later_reading(held))
        held._floor = None  # Every few minutes all is read anew, to forget what has expired.
        readings["and forgetting"].append(_later_reading(held))
    return {
        f"{DENIALS:,} denials, a reading": readings,
        f"authenticate, seen before, {DENIALS:,} denials": interleave({"snapshot": authenticate}),
    }


def _later_reading(held: Copy) -> float:
    DeniedToken.objects.create(
        value=str(uuid4()),
        kind=DeniedToken.Kind.SESSION,
        reason="elsewhere",
        denied_at=timezone.now(),
        until=timezone.now() + settings.TOKENS_ACCESS_LIFETIME,
    )
    before = len(held)
    time.sleep(1.1)  # longer than the bound
    took = _reading(held)
    assert len(held) == before + 1
    return took


def _reading(held: Copy) -> float:
    began = time.perf_counter()
    held.is_known_good(["a"], subject="", issued_at=2**40, now=timezone.now())
    return time.perf_counter() - began

"""Run each part in a process of its own, because Django reads its settings once."""

import os
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Any, TypeVar

from benchmarks import asynchronous
from tests.open_connections import crowd, ticket_site, tickets
from tests.open_connections.crowd import Crowd, Found

R = TypeVar("R")


def say(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True)


def run_tickets(engine: str, callers: int, workers: int, races: int) -> list[str]:
    _set_up("tests.open_connections.settings")
    found = tickets.measure(engine, races, say)
    return found + ticket_site.measure(engine, callers, workers, say)


def run_crowd(what: Crowd) -> Found:
    os.environ["CONNECTIONS_BOUND"] = str(what.bound)
    _set_up("tests.open_connections.settings")
    return crowd.measure(what, say)


def run_speed(url: str, rounds: int | None) -> list[asynchronous.Measured]:
    asynchronous.set_up(url)
    if rounds is None:
        return asynchronous.measure(say)
    return asynchronous.measure(say, least=rounds, most=rounds)


def _set_up(settings: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = settings

    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    call_command("migrate", verbosity=0)
    connections.close_all()


def in_a_process(url: str, work: Callable[..., R], *words: Any) -> R:
    """Run it with this database. Django reads its settings once, so each has a process of its own."""
    os.environ["DATABASE_URL"] = url
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_traced, work, *words).result()


def _traced(work: Callable[..., R], *words: Any) -> R:
    try:
        return work(*words)
    except Exception:  # Not every exception passes to another process.
        raise RuntimeError(traceback.format_exc()) from None

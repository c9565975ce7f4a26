"""Clients that send requests to a running site while a test does something else."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from django.contrib.auth import get_user_model

from tests.conftest import PASSWORD
from tests.support.processes import Site


@dataclass
class Diary:
    """
    What one client did, and the pair of tokens that it holds.

    ``requests`` has the start of each request in Unix seconds and its status, ``refused`` the
    bodies of the answers other than 200, ``left`` the tokens of the sessions that it ended.
    """

    number: int
    access: str
    refresh: str
    requests: list[tuple[float, int]] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    rotations: int = 0
    slowest: float = 0.0

    def note(self, started: float, answer: tuple[int, Any]) -> Any:
        status, body = answer
        self.requests.append((started, status))
        self.slowest = max(self.slowest, time.time() - started)
        if status != 200:
            self.refused.append(body)
        return body


def calls_and_refreshes(site: Site, diary: Diary) -> None:
    for _ in range(3):
        diary.note(time.time(), site.get("/api/me/", diary.access))
    body = diary.note(time.time(), site.post("/api/token/refresh/", refresh=diary.refresh))
    if isinstance(body, dict):
        diary.rotations += body["refresh"] != diary.refresh
        diary.access, diary.refresh = body["access"], body["refresh"]


def calls(site: Site, diary: Diary) -> None:
    diary.note(time.time(), site.get("/api/me/", diary.access))


def create_users(number: int) -> None:
    for n in range(number):
        get_user_model().objects.create_user(f"user-{n}", f"{n}@example.org", PASSWORD)


def sign_in(site: Site, number: int) -> Diary:
    status, body = site.post("/api/token/", username=f"user-{number}", password=PASSWORD)
    assert status == 200, body
    return Diary(number, body["access"], body["refresh"])


@contextmanager
def hammering(
    site: Site, do: Callable[[Site, Diary], None], *, clients: int
) -> Iterator[list[Diary]]:
    """Repeat ``do`` in every client while the block runs, and raise what a client raised."""
    stop = Event()
    diaries = [sign_in(site, number) for number in range(clients)]

    def hammer(diary: Diary) -> None:
        while not stop.is_set():
            do(site, diary)

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(hammer, diary) for diary in diaries]
        try:
            yield diaries
        finally:
            stop.set()
        for client in running:
            client.result(timeout=120)

"""Promise 6: several worker processes, many clients, and an operator who keeps rotating."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from tests.conftest import PASSWORD
from tests.processes import Site, manage, running_site
from tokens import keyring
from tokens.models import Session, SigningKey

WORKERS = 4
CLIENTS = 8

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Diary:
    """What one client did: each request's start and status, and the pair it holds."""

    access: str
    refresh: str
    requests: list[tuple[float, int]] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)
    rotations: int = 0

    def note(self, started: float, answer: tuple[int, Any]) -> Any:
        status, body = answer
        self.requests.append((started, status))
        if status != 200:
            self.refused.append(body)
        return body


def calls_and_refreshes(site: Site, diary: Diary) -> None:
    for _ in range(3):
        diary.note(time.time(), site.get("/api/me/", diary.access))
    body = diary.note(time.time(), site.post("/api/token/refresh/", refresh=diary.refresh))
    if isinstance(body, dict):
        diary.access, diary.refresh = body["access"], body["refresh"]
        diary.rotations += 1


def calls(site: Site, diary: Diary) -> None:
    diary.note(time.time(), site.get("/api/me/", diary.access))


@pytest.fixture
def site() -> Iterator[Site]:
    keyring.ensure()
    for number in range(CLIENTS):
        get_user_model().objects.create_user(f"user-{number}", f"{number}@example.org", PASSWORD)
    with running_site(workers=WORKERS) as site:
        yield site


def sign_in(site: Site, number: int) -> Diary:
    status, body = site.post("/api/token/", username=f"user-{number}", password=PASSWORD)
    assert status == 200, body
    return Diary(body["access"], body["refresh"])


@contextmanager
def hammering(site: Site, do: Callable[[Site, Diary], None]) -> Iterator[list[Diary]]:
    """Let every client do ``do`` again and again while the block runs."""
    stop = Event()
    diaries = [sign_in(site, number) for number in range(CLIENTS)]

    def hammer(diary: Diary) -> None:
        while not stop.is_set():
            do(site, diary)

    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(hammer, diary) for diary in diaries]
        try:
            yield diaries
        finally:
            stop.set()
        for client in running:
            client.result(timeout=120)


def rotate(*words: str) -> None:
    done = manage("rotate_secret", *words)
    assert done.returncode == 0, done.stderr


def test_rotations_in_a_row_fail_no_request_and_lose_no_session(site: Site) -> None:
    with hammering(site, calls_and_refreshes) as diaries:
        for algorithm in ("ES256", "RS256", "EdDSA", "PS256", "HS384"):
            rotate()
            rotate()
            rotate("--algorithm", algorithm)
    assert [diary.refused for diary in diaries] == [[]] * CLIENTS
    assert all(diary.rotations > 5 for diary in diaries)
    # Ten plain ones and five of another algorithm, each leaving a former key.
    assert SigningKey.objects.filter(state="retired").count() == 15
    assert Session.objects.filter(ended_at=None).count() == CLIENTS
    generations = sorted(Session.objects.values_list("generation", flat=True))
    assert generations == sorted(diary.rotations for diary in diaries)
    for diary in diaries:
        calls_and_refreshes(site, diary)
        assert diary.refused == []


def test_after_a_revocation_no_process_accepts_an_old_token(site: Site) -> None:
    with hammering(site, calls) as diaries:
        rotate("--revoke-previous", "--noinput")
        returned_at = time.time()
        for number in range(CLIENTS):
            fresh = sign_in(site, number)
            calls_and_refreshes(site, fresh)
            assert fresh.refused == []
        time.sleep(1)
    for diary in diaries:
        later = [status for started, status in diary.requests if started > returned_at]
        assert set(later) == {401}
        assert 200 in {status for started, status in diary.requests if started < returned_at}
        assert site.post("/api/token/refresh/", refresh=diary.refresh)[0] == 401

"""
Cut the verifiers off in every way: past their bound they accept nothing, and they recover by themselves.

Each disaster has a token that ended before it, and one that ends while it lasts, which the verifiers cannot
know. Half of CALLS are made with each.
"""

import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.db import connections

from tests.reach import watchers
from tests.reach.ends import Story, staff
from tests.reach.middle import Middle, in_the_middle
from tests.support.processes import PATIENCE, RunningSite, site_under

BOUND = 4.0
CALLS = 100_000
Change = Callable[["Scene"], AbstractContextManager[None]]


class Scene:
    """A site, the verifiers, and the man between them."""

    def __init__(self, server: str, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.stack = ExitStack()
        self.database = Path(os.environ["DATABASE_URL"].removeprefix("sqlite:///"))
        self.site = self.open_site(self.database)
        port = int(self.site.base.rpartition(":")[2])
        self.middle: Middle
        self.middle, address = self.stack.enter_context(in_the_middle(port))
        self.verifiers = {
            "Python": self.stack.enter_context(watchers.python_service(address, BOUND)),
            "Node": self.stack.enter_context(watchers.node_service(address, BOUND)),
        }

    def open_site(self, database: Path) -> RunningSite:
        self._site = ExitStack()
        changes = {"DATABASE_URL": f"sqlite:///{database}", "WEB_CONCURRENCY": "2"}
        return self._site.enter_context(site_under(self.server, changes))

    def replace_site(self, database: Path) -> None:
        self.close_site()
        self.site = self.open_site(database)
        self.middle.port = int(self.site.base.rpartition(":")[2])

    def close_site(self) -> None:
        self._site.close()

    def close(self) -> None:
        self.stack.close()
        self.close_site()


def mode(name: str) -> Change:
    @contextmanager
    def change(scene: Scene) -> Iterator[None]:
        scene.middle.mode = name
        yield
        scene.middle.mode = "pass"

    return change


@contextmanager
def stopped(scene: Scene) -> Iterator[None]:
    workers = scene.site.workers()

    def signal_all(number: int) -> None:
        scene.site.signal(number)
        for process in workers:
            os.kill(process, number)

    signal_all(signal.SIGSTOP)
    yield
    signal_all(signal.SIGCONT)


@contextmanager
def restored(scene: Scene) -> Iterator[None]:
    """Put an older state of the database in its place, while the site is down."""
    backup = scene.folder / f"{uuid4().hex}.sqlite3"
    copy(scene.database, backup)
    scene.close_site()
    yield
    connections.close_all()
    copy(backup, scene.database)
    scene.replace_site(scene.database)


@contextmanager
def failed_over(scene: Scene) -> Iterator[None]:
    """Serve a copy of the database from another site, as a standby that was promoted."""
    scene.close_site()
    yield
    standby = scene.folder / f"{uuid4().hex}.sqlite3"
    copy(scene.database, standby)
    scene.replace_site(standby)


def copy(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as opened, sqlite3.connect(target) as written:
        opened.backup(written)
    opened.close()
    written.close()


DISASTERS: dict[str, Change] = {
    "the authority is stopped (SIGSTOP)": stopped,
    "the connection is cut": mode("cut"),
    "requests are swallowed": mode("frozen"),
    "a cache serves old answers": mode("old"),
    "a man in the middle drops entries": mode("dropping"),
    "a backup is restored": restored,
    "a standby takes over": failed_over,
}
# What happened after the backup is lost with it, for the authority too.
FORGETS = {"a backup is restored"}


def suffer(server: str) -> dict[str, dict[str, str]]:
    """Return what each verifier did in each disaster. Raises AssertionError if it accepted anything."""
    found: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory(prefix="latchkey-disasters-") as name:
        for disaster, change in DISASTERS.items():
            scene = Scene(server, Path(name))
            try:
                found[disaster] = one(scene, change, forgets=disaster in FORGETS)
            finally:
                scene.close()
            shown = "  ".join(f"{who}: {line}" for who, line in found[disaster].items())
            print(f"{server:9} {disaster:36} {shown}", flush=True)
    return found


def one(scene: Scene, change: Change, *, forgets: bool) -> dict[str, str]:
    stories = [Story(scene.site, uuid4().hex) for _ in range(3)]
    good, before, meanwhile = stories
    for who in scene.verifiers.values():
        for story in stories:
            until(who, story.token, "accepted")
    staff(before)
    for who in scene.verifiers.values():
        until(who, before.token, "InvalidToken")
    found: dict[str, Any] = {}
    begun = time.monotonic()
    with change(scene):
        staff(meanwhile)
        for name, who in scene.verifiers.items():
            until(who, good.token, "Unavailable")
            found[name] = f"503 after {time.monotonic() - begun:.1f} s"
        for who in scene.verifiers.values():
            for story in (before, meanwhile):
                said = who.ask(story.token, CALLS // 2)
                assert said == {"Unavailable": CALLS // 2}, said
    begun = time.monotonic()
    for name, who in scene.verifiers.items():
        until(who, good.token, "accepted")
        found[name] += f", accepts again after {time.monotonic() - begun:.1f} s"
        for story in [before] if forgets else [before, meanwhile]:
            said = who.ask(story.token)
            assert said == {"InvalidToken": 1}, said
    return found


def until(who: watchers.Service, token: str, word: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while who.ask(token) != {word: 1}:
        assert time.monotonic() < deadline, f"It never says {word}."
        time.sleep(0.01)

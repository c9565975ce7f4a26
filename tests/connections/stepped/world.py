"""A registry without threads, and the time that passes for it."""

from collections.abc import Sequence
from typing import Any

import pytest

from tokens import clock, sessions
from tokens.connections import Connection, End
from tokens.connections.registry import Registry
from tokens.connections.watcher import Watcher
from tokens.jose import Claims


class Time:
    """A clock for the time that passes, which a test moves on."""

    def __init__(self) -> None:
        self.elapsed = 1000.0

    def __call__(self) -> float:
        return self.elapsed


class World:
    """A registry without threads, and what it has judged."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = Time()
        monkeypatch.setattr(clock, "_read", self.time)
        self.registry = Registry()
        self.registry.has_thread = False
        self.judged: list[list[Claims]] = []
        self._judge_all = sessions.judge_all
        monkeypatch.setattr(sessions, "judge_all", self.judge_all)

    def judge_all(self, many: Sequence[Any], **options: Any) -> Any:
        self.judged.append([each.claims for each in many])
        return self._judge_all(many, **options)

    def watch(self, claims: Claims) -> tuple[Connection, list[End]]:
        ends: list[End] = []
        return self.registry.watch(claims, ends.append, None, None), ends

    def check(self, *, after: float = 0.0) -> list[Claims]:
        """Return what is judged after some seconds."""
        self.time.elapsed += after
        self.judged.clear()
        self.registry.check()
        return [claims for batch in self.judged for claims in batch]

    @property
    def watcher(self) -> Watcher:
        (found,) = self.registry._watchers.values()
        return found

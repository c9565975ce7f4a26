"""Mixed requests of several people at once, each answer of which has to be right."""

import base64
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.support.processes import Answer, Site


@dataclass
class _Held:
    """The newest pair of a session."""

    access: str
    refresh: str

    @property
    def sid(self) -> str:
        return str(claims_of(self.access)["sid"])


@dataclass
class Mixed:
    """One person's requests. ``wrong`` has one line for each answer that was not right."""

    site: Site
    name: str
    password: str
    bound: float  # seconds after which a revoked token has to be refused everywhere
    wrong: list[str] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    _live: list[_Held] = field(default_factory=list)
    _dead: list[tuple[float, _Held]] = field(default_factory=list)

    def run(self, requests: int) -> None:
        # The same on each run, as far as one person is concerned.
        chance = random.Random(self.name)
        while sum(self.statuses.values()) < requests:
            if len(self._live) < 2:
                self._sign_in()
                continue
            held = chance.choice(self._live)
            roll = chance.random()
            if roll < 0.35:
                self._call("/api/me/", "username", self.name, held)
            elif roll < 0.55:
                self._call("/who/", "id", claims_of(held.access)["sub"], held)
            elif roll < 0.70:
                self._list_sessions(held)
            elif roll < 0.85:
                self._refresh(held)
            elif roll < 0.87:
                self._revoke(held)
            else:
                self._try_the_dead(chance)

    def _sign_in(self) -> None:
        answer = self._ask("/api/token/", body={"username": self.name, "password": self.password})
        if self._is(200, answer, "a sign-in"):
            self._live.append(_Held(answer.json()["access"], answer.json()["refresh"]))

    def _call(self, path: str, key: str, value: Any, held: _Held) -> None:
        answer = self._ask(path, raw_access=held.access)
        if self._is(200, answer, path) and answer.json()[key] != value:
            self.wrong.append(f"{self.name}: {path} answered for {answer.json()[key]}")

    def _list_sessions(self, held: _Held) -> None:
        answer = self._ask("/api/sessions/", raw_access=held.access)
        if not self._is(200, answer, "/api/sessions/"):
            return
        listed = {row["id"]: row["current"] for row in answer.json()["results"]}
        expected = {one.sid: one is held for one in self._live}
        if listed != expected:
            self.wrong.append(f"{self.name}: sessions are {listed}, not {expected}")

    def _refresh(self, held: _Held) -> None:
        answer = self._ask("/api/token/refresh/", body={"refresh": held.refresh})
        if not self._is(200, answer, "a refresh"):
            return
        fresh = _Held(answer.json()["access"], answer.json()["refresh"])
        if fresh.sid != held.sid:
            self.wrong.append(f"{self.name}: a refresh gave the session {fresh.sid}")
        held.access, held.refresh = fresh.access, fresh.refresh

    def _revoke(self, held: _Held) -> None:
        answer = self._ask("/api/token/revoke/", body={"token": held.refresh})
        if self._is(200, answer, "a revocation"):
            self._live.remove(held)
            self._dead.append((time.monotonic() + self.bound, held))

    def _try_the_dead(self, chance: random.Random) -> None:
        due = [held for at, held in self._dead if at < time.monotonic()]
        if not due:
            return self._call("/api/me/", "username", self.name, chance.choice(self._live))
        held = chance.choice(due)
        path = chance.choice(["/api/me/", "/who/"])
        self._is(401, self._ask(path, raw_access=held.access), f"a revoked token at {path}")
        body = {"refresh": held.refresh}
        self._is(401, self._ask("/api/token/refresh/", body=body), "a revoked refresh token")
        return None

    def _ask(self, path: str, **how: Any) -> Answer:
        answer = self.site.ask(path, **how)
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        return answer

    def _is(self, status: int, answer: Answer, what: str) -> bool:
        if answer.status != status:
            self.wrong.append(f"{self.name}: {what} met {answer.status} {answer.body[:200]!r}")
        return answer.status == status


def run_mixed(people: list[Mixed], *, requests: int) -> list[str]:
    """Let all people make this many requests together; return what was wrong."""
    share = requests // len(people)
    with ThreadPoolExecutor(len(people)) as pool:
        for done in [pool.submit(person.run, share) for person in people]:
            done.result()
    return [line for person in people for line in person.wrong]


def claims_of(raw_token: str) -> dict[str, Any]:
    """Return the claims without verifying anything."""
    payload = raw_token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))

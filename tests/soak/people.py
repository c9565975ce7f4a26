"""Clients with a ledger: each knows what the next answer must be, and records a wrong one."""

import json
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from jwt.utils import base64url_decode

from tests.soak.ledger import Held, Ledger
from tests.support.processes import Answer, Site

PASSWORD = "correct horse battery staple"
# Well below the grace: a client without an answer retries at once. If a busy machine gives it no
# answer in that time, it cannot know whether its refresh happened, and signs in again.
PATIENCE = 8.0  # seconds
SIGN_IN_PATIENCE = 60.0
TABS = 5


class NoAnswer(Exception):
    """The site did not answer within the client's patience."""


class Person:
    """One user in a thread, on one device."""

    def __init__(self, site: Site, ledger: Ledger, name: str, *, seed: int) -> None:
        self._site = site
        self._ledger = ledger
        self._name = name
        self._random = random.Random(seed)  # Repeatable, not secret.
        self.held = self._sign_in()

    def live(self, stop: Event) -> None:
        actions: dict[Callable[[], None], int] = {
            self.call: 60,
            self.refresh: 20,
            self.refresh_from_tabs: 10,
            self.revoke_access: 4,
            self.lose_a_refresh_token: 2,
            self.revoke: 2,
            self.sign_out: 2,
        }
        while not stop.is_set():
            (action,) = self._random.choices(list(actions), list(actions.values()))
            try:
                action()
            except NoAnswer:
                self._ledger.count("given up")
                self.held = self._sign_in()

    def call(self) -> None:
        status = self._me(self.held.access)
        if status == 401 and _expired(self.held.access):
            self.refresh()
            status = self._me(self.held.access)
        self._ledger.count("calls")
        self._ledger.expect(status == 200, f"{self._name}: a live token met {status}")

    def refresh(self) -> None:
        answer = self._refresh_with(self.held.refresh)
        self._ledger.count("refreshes")
        self._take([answer])

    def refresh_from_tabs(self) -> None:
        """
        Refresh with one token from several tabs at once.

        All must get the same successor; or the pair of this token again, if it is so young that the
        grace ends between two of them.
        """
        with ThreadPoolExecutor(TABS) as pool:
            answers = list(pool.map(self._refresh_with, [self.held.refresh] * TABS))
        self._ledger.count("parallel refreshes")
        self._take(answers)

    def revoke_access(self) -> None:
        """Revoke one access token. The session continues."""
        raw_access = self.held.access
        status = self._ask("/api/token/revoke/", {"token": raw_access}).status
        self._ledger.count("access revocations")
        self._ledger.expect(status == 200, f"{self._name}: a revocation met {status}")
        self._refused(raw_access, "a revoked access token")
        self.held.revoked_access.append(raw_access)
        self.refresh()
        if _jti(self.held.access) == _jti(raw_access):
            self.revoke()  # Within the grace, a refresh gives the denied access token again.

    def lose_a_refresh_token(self) -> None:
        """
        Replay a refresh token older than the previous one, as a thief would. The session ends.
        """
        # An expired one is refused too, but ends nothing.
        usable = [token for token in self.held.former[:-1] if not _expired(token)]
        if not usable:
            return
        stolen = self._random.choice(usable)
        status = self._refresh_with(stolen).status
        self._ledger.count("replays")
        self._ledger.expect(status == 401, f"{self._name}: a replay met {status}")
        self._begin_again("a replayed session")

    def revoke(self) -> None:
        status = self._ask("/api/token/revoke/", {"token": self.held.refresh}).status
        self._ledger.expect(status == 200, f"{self._name}: a revocation met {status}")
        self._begin_again("a revoked session")

    def sign_out(self) -> None:
        status = self._ask("/api/logout/", {"refresh": self.held.refresh}).status
        # 401: the answer to the first try was lost, and the session has ended.
        self._ledger.expect(status in {204, 401}, f"{self._name}: a sign-out met {status}")
        self._begin_again("a session that was signed out of")

    def _begin_again(self, what: str) -> None:
        dead, self.held = self.held, self._sign_in()
        self._refused(dead.access, what)
        status = self._refresh_with(dead.refresh).status
        self._ledger.expect(status == 401, f"{self._name}: {what} was refreshed: {status}")
        self._ledger.bury(dead)

    def _sign_in(self) -> Held:
        body = {"username": self._name, "password": PASSWORD}
        answer = self._ask("/api/token/", body, patience=SIGN_IN_PATIENCE)
        self._ledger.count("sign-ins")
        assert answer.status == 200, f"{self._name} cannot sign in: {answer.status} {answer.body!r}"
        return Held(answer.json()["access"], answer.json()["refresh"])

    def _take(self, answers: list[Answer]) -> None:
        refused = [answer.status for answer in answers if answer.status != 200]
        self._ledger.expect(not refused, f"{self._name}: live refresh tokens met {refused}")
        if refused:
            self.held = self._sign_in()
            return
        pairs = {_jti(one.json()["refresh"]): one.json() for one in answers}
        own = pairs.pop(_jti(self.held.refresh), None)  # Within the grace, nothing rotates.
        self._ledger.expect(len(pairs) <= 1, f"{self._name}: one token had {len(pairs)} successors")
        if pairs:
            self.held.former.append(self.held.refresh)
        newest = next(iter(pairs.values()), own)
        assert newest is not None
        self.held.access, self.held.refresh = newest["access"], newest["refresh"]

    def _refused(self, raw_access: str, what: str) -> None:
        status = self._me(raw_access)
        self._ledger.expect(status == 401, f"{self._name}: {what} was accepted: {status}")

    def _me(self, raw_access: str) -> int:
        return self._ask("/api/me/", raw_access=raw_access).status

    def _refresh_with(self, raw_refresh: str) -> Answer:
        return self._ask("/api/token/refresh/", {"refresh": raw_refresh})

    def _ask(
        self,
        path: str,
        body: dict[str, str] | None = None,
        *,
        raw_access: str = "",
        patience: float = PATIENCE,
    ) -> Answer:
        """
        Return the answer. Without one, or with a 503, send the same request again.

        Raises NoAnswer after ``patience`` seconds.
        """
        deadline = time.monotonic() + patience
        while True:
            try:
                answer = self._site.ask(path, body=body, raw_access=raw_access)
            except OSError:
                self._ledger.count("broken connections")
            else:
                if answer.status != 503:
                    return answer
                self._ledger.count("answers 503")
            if time.monotonic() > deadline:
                raise NoAnswer(f"{path} gave no answer in {patience} s")
            time.sleep(0.1)


def _claims(raw_token: str) -> dict[str, object]:
    return dict(json.loads(base64url_decode(raw_token.split(".")[1])))


def _jti(raw_token: str) -> object:
    return _claims(raw_token)["jti"]


def _expired(raw_token: str) -> bool:
    return float(str(_claims(raw_token)["exp"])) <= time.time()

"""A connection, and how it ended."""

import time
from threading import Event

from tokens import clock, sessions
from tokens.connections import Connection, End, watch
from tokens.jose import Claims
from tokens.secret import hide
from tokens.sessions import TokenPair

PATIENCE = 30


class Held:
    """A connection, and how it ended."""

    def __init__(self, pair: TokenPair) -> None:
        self.ends: list[End] = []
        self.ended = Event()
        self.claims = claims_of(pair)
        self.connection: Connection = watch(self.claims, self.on_end)

    def on_end(self, end: End) -> None:
        self.ends.append(end)
        self.ended.set()

    def code(self) -> str:
        assert self.ended.wait(PATIENCE)
        (end,) = self.ends
        assert len(end.reason.encode()) <= 123
        return end.code

    def stays_open(self) -> bool:
        """Return whether it is open after it has been judged twice more."""
        for _ in range(2):
            before = clock.elapsed()
            deadline = before + PATIENCE
            while self.connection.judged_at <= before and not self.ended.is_set():
                assert clock.elapsed() < deadline
                time.sleep(0.01)
        return not self.ended.is_set()


def claims_of(pair: TokenPair) -> Claims:
    return sessions.read_claims(hide(pair.raw_access), now=clock.now())

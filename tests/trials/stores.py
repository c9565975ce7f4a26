"""What the tabs or processes of one session share: the pair that one of them stored last."""

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from tokens.sessions import TokenPair


@dataclass(frozen=True, slots=True)
class Kept:
    """A pair, when it was stored, and when its refresh token expires, in Unix seconds."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    at: float
    until: float


def kept_of(pair: TokenPair, *, now: datetime) -> Kept:
    until = pair.refresh_expires_at.timestamp()
    return Kept(pair.raw_access, pair.raw_refresh, now.timestamp(), until)


class Store(Protocol):
    """``bury`` notes why the session was found dead, the first time; ``death`` is "" before."""

    def read(self) -> Kept: ...
    def write(self, kept: Kept) -> None: ...
    def bury(self, why: str) -> None: ...
    def death(self) -> str: ...


class Memory:
    """The localStorage of an origin, whose tabs are threads."""

    _kept: Kept
    _death = ""

    def read(self) -> Kept:
        return self._kept

    def write(self, kept: Kept) -> None:
        self._kept = kept

    def bury(self, why: str) -> None:
        self._death = self._death or why

    def death(self) -> str:
        return self._death


class File:
    """A file that processes share, and replace as a whole. They have no lock."""

    def __init__(self, folder: Path, number: int) -> None:
        self._path = folder / f"{number}.json"
        self._grave = folder / f"{number}.dead"

    def read(self) -> Kept:
        return Kept(**json.loads(self._path.read_text()))

    def write(self, kept: Kept) -> None:
        scratch = self._path.with_suffix(f".{os.getpid()}")
        scratch.write_text(json.dumps(asdict(kept)))
        scratch.replace(self._path)

    def bury(self, why: str) -> None:
        if not self._grave.exists():
            self._grave.write_text(why)

    def death(self) -> str:
        return self._grave.read_text() if self._grave.exists() else ""

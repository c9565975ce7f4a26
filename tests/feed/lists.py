"""Denials as another process writes them, and the list of a process."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from tokens.feed.documents import Denial, digest_of_all
from tokens.feed.listing import Cursor, Listing, read_cursor
from tokens.models import DeniedToken

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
LIFE = timedelta(seconds=350)
_numbers = count(1)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def deny(*, at: datetime = NOW, kind: str = "sid", value: str = "", **columns: Any) -> DeniedToken:
    values = {"reason": "?", "denied_at": at, "until": at + LIFE, **columns}
    value = value or str(UUID(int=next(_numbers)))
    return DeniedToken.objects.create(kind=kind, value=value, **values)


def deny_many(number: int, *, at: datetime = NOW) -> list[DeniedToken]:
    rows = [
        DeniedToken(
            kind="sid",
            value=str(UUID(int=next(_numbers))),
            reason="?",
            denied_at=at,
            until=at + LIFE,
        )
        for _ in range(number)
    ]
    return DeniedToken.objects.bulk_create(rows)


def as_denial(row: DeniedToken) -> Denial:
    return Denial(row.kind, row.value)


def read(listing: Listing, at: datetime) -> bool:
    """Let a process read. Return whether it has news; its digest is right in any case."""
    changed = listing.take(listing.read("default", now=at))
    assert listing.digest == digest_of_all(listing.denials)
    return changed


class Client:
    """What a reader has, and whether an increment was enough for it."""

    def __init__(self) -> None:
        self.cursor: Cursor | None = None
        self.denials: dict[Denial, int] = {}

    def ask(self, listing: Listing) -> str:
        changes = listing.since(self.cursor)
        self.cursor = read_cursor(str(listing.cursor))
        if changes is not None:
            merged = {**self.denials, **changes}
            self.denials = {
                denial: until for denial, until in merged.items() if until * 1000 > listing.at
            }
            if digest_of_all(self.denials) == listing.digest:
                return f"{len(changes)} more"
        self.denials = dict(listing.denials)
        return "whole" if changes is None else "another digest"


def values(rows: Iterable[DeniedToken]) -> set[Denial]:
    return {as_denial(row) for row in rows}


def read_first(listing: Listing, client: Client) -> None:
    read(listing, NOW)
    assert client.ask(listing) == "whole"

"""Who may read the feed: everybody, or services with a key."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from logging import getLogger
from typing import NamedTuple

from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from .. import clock
from ..conf import conf
from ..database.places import PerPlace, Place, place_of
from ..models import DeniedToken
from ..secret import Secret, hide, hides_locals
from .models import FeedReader

logger = getLogger("tokens")

READERS = ("services", "everybody")
# By this prefix, scanners for secrets find a key.
KEY_PREFIX = "latchkey_feed_"
# Seconds after which a revoked key is refused at the latest.
READ_AFTER = 1.0
# How exactly the last use of a key is known: each process runs one statement per key in this time.
COARSE = timedelta(minutes=10)


class _Reader(NamedTuple):
    pk: int
    last_used_at: datetime | None


class _Readers:
    """This process's copy of the keys of one place, by their digests."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._readers: dict[str, _Reader] = {}

    def is_known(self, digest: str) -> bool:
        """Return whether the key is good. It runs no query, and may be READ_AFTER late."""
        return digest in self._readers

    def expire(self) -> None:
        """Let the next use read the table. Until then, what is known stays so."""
        self._read_at = float("-inf")

    def bring_up_to_date(self) -> None:
        if (began := clock.elapsed()) - self._read_at < READ_AFTER:
            return
        rows = _rows().filter(revoked_at=None).values_list("digest", "pk", "last_used_at")
        self._readers = {digest: _Reader(pk, used) for digest, pk, used in rows}
        self._read_at = began

    def note_use(self, digest: str, *, now: datetime) -> None:
        reader = self._readers[digest]
        if reader.last_used_at and reader.last_used_at > now - COARSE:
            return
        self._readers[digest] = reader._replace(last_used_at=now)
        older = Q(last_used_at=None) | Q(last_used_at__lt=now)
        try:
            _rows().filter(older, pk=reader.pk).update(last_used_at=now)
        except DatabaseError as error:
            # A database that refuses writes can still be read.
            logger.warning("the use of the feed by reader %s was not noted: %s", reader.pk, error)


_readers = PerPlace(_Readers)


def forget() -> None:
    """Drop this process's copies, so that the next use reads the table."""
    _readers.forget()


def create(name: str) -> Secret[str]:
    """Let a service read the feed, and return its key, which is not stored."""
    key = Secret(KEY_PREFIX + secrets.token_urlsafe(32))
    _rows().create(name=name, digest=digest_of(key), created_at=clock.now())
    _readers.of(DeniedToken).expire()
    return key


def revoke(pks: list[int]) -> int:
    """Refuse these services within READ_AFTER seconds; return how many were not refused before."""
    count = _rows().filter(pk__in=pks, revoked_at=None).update(revoked_at=clock.now())
    _readers.of(DeniedToken).expire()
    return count


@hides_locals
def admitted(request: HttpRequest) -> "Admission | None":
    """Return what admits the request, or None if nothing does. Raises DatabaseError."""
    if conf.TOKENS_FEED_READERS == "everybody":
        return Admission()
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.isascii():
        return None
    digest = digest_of(hide(key.strip(" ")))
    place = place_of(DeniedToken)
    readers = _readers.at(place)
    readers.bring_up_to_date()
    if not readers.is_known(digest):
        return None
    readers.note_use(digest, now=clock.now())
    return Admission(digest, place)


def bring_up_to_date() -> None:
    """Read the keys of this place, unless it was done just now. Raises DatabaseError."""
    _readers.of(DeniedToken).bring_up_to_date()


class Admission(NamedTuple):
    """What admitted a reader: a key, by its digest, or the setting "everybody"."""

    digest: str = ""
    place: Place | None = None

    def lasts(self) -> bool:
        """Return whether the reader is still admitted. It runs no query."""
        # Not the copy of the time when it was admitted, which may not be kept up to date any more.
        return self.place is None or _readers.at(self.place).is_known(self.digest)


@hides_locals
def digest_of(key: Secret[str]) -> str:
    return sha256(key.reveal().encode()).hexdigest()


def _rows() -> QuerySet[FeedReader]:
    return FeedReader.objects.using(place_of(DeniedToken).alias)

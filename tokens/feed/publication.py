"""
The documents of one place: what this process serves, signed at most once per change or second.

A *stamp* is the state of the list at one instant. All documents of a stamp have this instant, and are
kept until the next stamp. So however many readers there are, a stamp costs one reading of the database
and one signature for each cursor.
"""

import gzip
import threading
from dataclasses import dataclass
from functools import cached_property
from math import inf

from django.utils.http import quote_etag

from .. import clock, keyring
from ..conf import conf
from ..database.places import PerPlace, place_of
from ..errors import KeyRingError
from ..jose import Key
from ..models import DeniedToken
from .documents import Denials, payload_of, sign_document
from .listing import Listing, read_cursor

# Seconds. A younger list is not read again, however many readers ask.
READ_AFTER = 0.2
# Seconds after which a stamp is replaced even if nothing changed, so that documents stay young.
STAMP_AFTER = 0.95
# While another thread reads, a stamp up to this age is served. Readers check its age themselves.
SERVED_FOR = 3.0
# How long a request waits for the reading of another one if there is nothing to serve.
WAIT_FOR = 5.0
# How many cursors of one stamp get an increment. Others get the whole list, which is signed once.
MOST_CURSORS = 200
# Denials that the increments of one stamp have together, beyond as many as the whole list has: with a
# cursor that a client has invented, an increment is as long as the list.
MOST_CHANGES = 20_000

HMAC = (
    "The signing key is an HMAC key, which is never published, so no service could verify the feed "
    "of denials."
)
HMAC_HINT = 'Run "manage.py rotate_secret --algorithm ES256". It signs out no user.'


class NothingToServe(Exception):
    """No reading was possible in time."""


@dataclass(frozen=True)
class Document:
    text: str
    cursor: str

    @property
    def etag(self) -> str:
        return quote_etag(self.text[-32:])  # of the signature

    @cached_property
    def compressed(self) -> bytes:
        """The text for an answer with ``Content-Encoding: gzip``, made once for all readers."""
        return gzip.compress(self.text.encode(), compresslevel=1)


class Publication:
    """The list of one place, and its documents. Thread-safe."""

    def __init__(self) -> None:
        self._reading = threading.Lock()  # held during queries, by one thread
        self._lock = threading.Lock()  # never held during a query
        self._listing = Listing()
        self._key: Key | None = None
        self._issuer = ""
        self._documents: dict[str | None, Document] = {}
        self._changes_left = 0
        self._read_at = self._stamped_at = -inf
        self.stamp = 0

    def refresh(self, *, at_once: bool = False) -> None:
        """
        Read the database, unless this process did so just now or another thread does.

        ``at_once`` reads in any case. Raises KeyRingError, DatabaseError, NothingToServe.
        """
        if not at_once and clock.elapsed() - self._read_at < READ_AFTER:
            return
        is_fresh = clock.elapsed() - self._stamped_at < SERVED_FOR
        if not self._reading.acquire(timeout=0 if is_fresh else WAIT_FOR):
            if is_fresh:
                return
            raise NothingToServe
        try:
            if at_once or clock.elapsed() - self._read_at >= READ_AFTER:
                self._read()
        finally:
            self._reading.release()

    def _read(self) -> None:
        began = clock.elapsed()
        alias = place_of(DeniedToken).alias
        key = keyring.signing_key()
        if key.public is None:
            raise KeyRingError(HMAC, hint=HMAC_HINT)
        issuer = conf.TOKENS_ISSUER
        found = self._listing.read(alias, now=clock.now())
        with self._lock:
            self._read_at = began
            if not found.is_news and began - self._stamped_at < STAMP_AFTER:
                return
            self._listing.take(found)
            self._key, self._issuer = key, issuer
            self._documents = {}
            self._changes_left = MOST_CHANGES + len(self._listing.denials)
            self._stamped_at = began
            self.stamp += 1

    def document(self, after: str | None) -> Document:
        """
        Return the increment after this cursor, or a whole list. It runs no query.

        Raises NothingToServe before the first reading.
        """
        with self._lock:
            if self._key is None:
                raise NothingToServe
            found = self._documents.get(after)
            if found is None:
                changes = self._since(after)
                if changes is None:
                    after, changes = None, self._listing.denials
                found = self._documents.get(after) or self._make(after, changes)
                self._documents[after] = found
            return found

    def _since(self, after: str | None) -> Denials | None:
        if after is None or len(self._documents) >= MOST_CURSORS:
            return None
        changes = self._listing.since(read_cursor(after), most=self._changes_left)
        self._changes_left -= len(changes or ())
        return changes

    def _make(self, after: str | None, changes: Denials) -> Document:
        assert self._key is not None  # noqa: S101  # The caller has checked.
        listing = self._listing
        payload = payload_of(
            changes.items(),
            issuer=self._issuer,
            at=listing.at,
            epoch=listing.epoch,
            after=after,
            to=str(listing.cursor),
            count=len(listing.denials),
            digest=listing.digest,
        )
        return Document(sign_document(payload, key=self._key), payload["to"])

    def age(self) -> float:
        """Return how many seconds ago the stamp was made."""
        return clock.elapsed() - self._stamped_at


publications = PerPlace(Publication)

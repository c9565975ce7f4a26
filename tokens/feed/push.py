"""
Streams of documents: one thread of this process reads the database for all of them.

The thread looks for notifications of denials LOOKS_PER_SECOND times per second, which costs no query on
PostgreSQL and a read of one number on SQLite. After a notification, and otherwise as often as polling
would, it refreshes the documents and wakes the streams. A stream has no timer, no query and no
connection to the database. The thread ends with the last stream.

A server that shuts down waits for its streams, so they end when the process gets the signal.
"""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from logging import getLogger
from types import FrameType
from typing import Any

from django.db import Error, connections

from .. import clock
from ..database.places import Place, within
from ..denylist.notifications import Notifications
from ..errors import KeyRingError
from . import readers
from .publication import Document, NothingToServe, Publication, publications
from .readers import Admission

logger = getLogger("tokens")

LOOKS_PER_SECOND = 20
# Seconds until the next attempt after one failed.
PAUSE = 1.0
# Seconds. A stream does not begin with an older stamp: the thread makes another first.
BEGINS_WITH = 1.5


class Subscription:
    """What wakes one stream, in its event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.woken = asyncio.Event()
        self.is_over = False

    async def changed(self) -> bool:
        """Wait for the next stamp. Return False when the process is about to end."""
        await self.woken.wait()
        self.woken.clear()
        return not self.is_over

    def wake(self, *, is_over: bool = False) -> None:
        """Wake the stream from the thread. If its loop is closed, the stream is gone."""
        self.is_over |= is_over
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.woken.set)


class Channel:
    """The streams of one place. The thread works in the context of the request that came first."""

    def __init__(self, place: Place, context: Context) -> None:
        self.place = place
        self._context = context  # A router or a lazy setting may find the tenant in it.
        self.publication: Publication = publications.at(place)
        self.subscriptions: set[Subscription] = set()
        self._notifications = Notifications()
        self._told = self.publication.stamp
        self._try_at = 0.0
        self._warned = ""

    def look(self) -> None:
        """Refresh the documents when they are due, and wake the streams if there is a new stamp."""
        if clock.elapsed() >= self._try_at:
            self._context.run(self._look)

    def _look(self) -> None:
        try:
            with within(self.place):
                announced = self._notifications.has_changes(self.place)
                self.publication.refresh(at_once=announced)
                readers.bring_up_to_date()
        except (Error, KeyRingError, NothingToServe) as error:
            self._fail(error)
        if self.publication.stamp != self._told:
            self._told = self.publication.stamp
            self._warned = ""
            self.wake()

    def _fail(self, error: Exception) -> None:
        self._try_at = clock.elapsed() + PAUSE
        if str(error) != self._warned:
            logger.warning("the feed of denials has no news: %s", error)
            self._warned = str(error)
        connections[self.place.alias].close_if_unusable_or_obsolete()

    def wake(self, *, is_over: bool = False) -> None:
        for subscription in list(self.subscriptions):
            subscription.wake(is_over=is_over)

    def close(self) -> None:
        self._notifications.forget()


class Hub:
    """The channels of this process, and their thread. Thread-safe."""

    def __init__(self) -> None:
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._lock = threading.Lock()  # Before a fork, another thread may have held it.
        self._channels: dict[Place, Channel] = {}
        self._thread: threading.Thread | None = None
        self._is_over = False
        self._hears_signals = False

    @contextmanager
    def subscribe(self, place: Place, context: Context) -> Iterator[tuple[Channel, Subscription]]:
        self._hear_signals()
        subscription = Subscription()
        with self._lock:
            channel = self._channels.get(place)
            if channel is None:
                channel = self._channels[place] = Channel(place, context)
            channel.subscriptions.add(subscription)
            if self._is_over:
                subscription.wake(is_over=True)
            elif self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tokens-feed", daemon=True)
                self._thread.start()
        try:
            yield channel, subscription
        finally:
            with self._lock:
                channel.subscriptions.discard(subscription)

    def end(self) -> None:
        """End all streams, because the process is about to end. Safe in a signal handler."""
        self._is_over = True

    def join(self) -> None:
        """Wait for the thread, which ends with the last stream."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        pause = threading.Event()
        try:
            while channels := self._channels_in_use():
                if self._is_over:
                    for channel in channels:
                        channel.wake(is_over=True)
                else:
                    for channel in channels:
                        channel.look()
                pause.wait(1 / LOOKS_PER_SECOND)
        finally:
            connections.close_all()

    def _channels_in_use(self) -> list[Channel]:
        with self._lock:
            unused = [place for place, one in self._channels.items() if not one.subscriptions]
            closed = [self._channels.pop(place) for place in unused]
            in_use = list(self._channels.values())
            if not in_use:
                self._thread = None
        for channel in closed:
            channel.close()
        return in_use

    def _hear_signals(self) -> None:
        """Let a signal end the streams before it makes the server wait for them."""
        if self._hears_signals or threading.current_thread() is not threading.main_thread():
            return
        self._hears_signals = True
        for number in (signal.SIGTERM, signal.SIGINT):
            former = signal.getsignal(number)
            # If there is no handler, the signal ends the process at once.
            if callable(former):
                signal.signal(number, _before(former, self.end))


def _before(former: Any, end: Any) -> Any:
    def handler(number: int, frame: FrameType | None) -> Any:
        end()
        return former(number, frame)

    return handler


hub = Hub()


async def stream(
    place: Place, context: Context, admission: Admission, after: str | None
) -> AsyncIterator[bytes]:
    """
    Yield documents as server-sent events: what follows the cursor, and then each stamp.

    ``context`` is a copy of the request's own.
    """
    with hub.subscribe(place, context) as (channel, subscription):
        publication = channel.publication
        if publication.age() < BEGINS_WITH:
            subscription.woken.set()
        is_first = True
        while await subscription.changed() and admission.lasts():
            if is_first:
                # It may be the whole list, which takes a tenth of a second to sign.
                document = await asyncio.to_thread(publication.document, after)
            else:
                document = publication.document(after)
            is_first, after = False, document.cursor
            yield as_event(document)


def as_event(document: Document) -> bytes:
    return f"event: denials\nid: {document.cursor}\ndata: {document.text}\n\n".encode()

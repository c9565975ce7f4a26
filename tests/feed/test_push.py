"""The stream of events: who gets them, who reads for them, and when it ends."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import OperationalError
from django.test import AsyncClient

from tests.feed.conftest import use_key
from tests.feed.lists import deny
from tests.feed.reader import Reader
from tokens import clock, keyring
from tokens.database.places import place_of
from tokens.feed import push, readers
from tokens.feed.models import FeedReader
from tokens.feed.publication import publications
from tokens.feed.push import Hub, hub
from tokens.models import DeniedToken

EVENTS = "/api/denials/events/"


@pytest.fixture
def served(transactional_db: None, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.feed.urls"
    settings.TOKENS_FEED_READERS = "everybody"
    use_key("ES256", settings)


@pytest.fixture
def reader(served: None) -> Reader:
    return Reader(keyring.jwks())


@pytest.fixture
def own_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Return a hub that may be ended without ending that of this process."""
    hub = Hub()
    monkeypatch.setattr(push, "hub", hub)
    yield hub
    hub.join()


class Events:
    """An open stream, of which each event is read by ``await events.next()``."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.chunks = response._iterator

    async def next(self) -> tuple[str, str]:
        chunk = await asyncio.wait_for(anext(self.chunks), 60)
        name, cursor, data, *rest = chunk.decode().split("\n")
        assert name == "event: denials"
        assert rest == ["", ""]
        return cursor.removeprefix("id: "), data.removeprefix("data: ")

    async def ends_soon(self) -> bool:
        """Read ten more at most: one may be on its way, and the keys are read once a second."""
        try:
            for _ in range(10):
                await self.next()
        except StopAsyncIteration:
            return True
        return False

    async def is_over(self) -> bool:
        """Read the rest, and return whether there is an end."""
        with suppress(StopAsyncIteration):
            while True:
                await asyncio.wait_for(anext(self.chunks), 60)
        return True


@asynccontextmanager
async def stream(after: str | None = None, **headers: str) -> AsyncIterator[Events]:
    address = f"{EVENTS}?after={after}" if after else EVENTS
    response = await AsyncClient().get(address, headers=headers)
    assert response.status_code == 200
    events = Events(response)
    try:
        yield events
    finally:
        await events.chunks.aclose()  # The client leaves.


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async_to_sync(story)()


async def apply_until(events: Events, reader: Reader, denial: DeniedToken) -> None:
    while (denial.kind, denial.value) not in reader.denied:
        cursor, document = await events.next()
        assert reader.apply(document)["to"] == cursor


def test_a_stream_begins_with_the_whole_list_and_continues_with_what_is_new(reader: Reader) -> None:
    before = deny(at=clock.now())

    async def story() -> None:
        async with stream() as events:
            _, document = await events.next()
            assert reader.apply(document)["from"] is None
            assert ("sid", before.value) in reader.denied
            row = await sync_to_async(deny)(at=clock.now())
            await apply_until(events, reader, row)

    run(story)


def test_a_stream_continues_from_a_cursor_in_the_address_or_in_the_header(reader: Reader) -> None:
    async def story() -> None:
        async with stream() as events:
            cursor, document = await events.next()
            reader.apply(document)
        row = await sync_to_async(deny)(at=clock.now())
        async with stream(after=cursor) as events:
            await apply_until(events, reader, row)
        async with stream(**{"Last-Event-ID": str(reader.cursor)}) as events:
            _, document = await events.next()
            assert reader.apply(document)["from"] is not None

    run(story)


@pytest.mark.slow
def test_an_event_comes_although_nothing_is_denied(reader: Reader) -> None:
    async def story() -> None:
        async with stream() as events:
            instants = [reader.apply((await events.next())[1])["at"] for _ in range(3)]
            assert instants == sorted(set(instants))

    run(story)


def test_a_request_for_the_headers_opens_no_stream(reader: Reader) -> None:
    """It has no body, so no client would read it to the end, nor leave."""

    async def story() -> None:
        response = await AsyncClient().head(EVENTS)
        assert (response.status_code, response["Content-Type"]) == (200, "text/event-stream")
        assert not response.streaming

    run(story)


def test_nothing_on_the_way_may_wait_or_compress(reader: Reader) -> None:
    async def story() -> None:
        async with stream(**{"Accept-Encoding": "gzip"}) as events:
            headers = events.response.headers
            assert headers["Content-Type"] == "text/event-stream"
            assert headers["Cache-Control"] == "no-store, no-transform"
            assert headers["X-Accel-Buffering"] == "no"
            assert headers["Content-Encoding"] == "identity"

    run(story)


def test_one_thread_reads_for_all_streams_and_ends_with_the_last(
    reader: Reader, own_hub: Hub
) -> None:
    async def story() -> None:
        async with stream() as one, stream() as other:
            await one.next()
            await other.next()
            thread = own_hub._thread
            assert [each.name for each in threading.enumerate()].count("tokens-feed") == 1
            _, document = await one.next()
            assert (await other.next())[1] == document
        assert thread is not None
        await asyncio.to_thread(thread.join)
        assert own_hub._thread is None
        async with stream() as again:
            await again.next()

    run(story)


def test_a_stream_needs_a_key_and_ends_when_it_is_revoked(reader: Reader, settings: Any) -> None:
    settings.TOKENS_FEED_READERS = "services"
    key = readers.create("shop").reveal()

    async def story() -> None:
        refused = await AsyncClient().get(EVENTS)
        assert refused.status_code == 401
        async with stream(Authorization=f"Bearer {key}") as events:
            await events.next()
            await FeedReader.objects.aupdate(revoked_at=clock.now())  # By another process.
            assert await events.is_over()

    run(story)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["this process", "another one, after this one created a key"])
def test_a_stream_ends_when_its_key_is_revoked_by_any_process(
    reader: Reader, settings: Any, by: str
) -> None:
    settings.TOKENS_FEED_READERS = "services"
    key, other = readers.create("shop").reveal(), readers.create("mill").reveal()
    shop = FeedReader.objects.get(name="shop")

    def revoke() -> None:
        if by == "this process":
            readers.revoke([shop.pk])
        else:
            readers.create("farm")
            FeedReader.objects.filter(pk=shop.pk).update(revoked_at=clock.now())

    async def story() -> None:
        async with (
            stream(Authorization=f"Bearer {key}") as events,
            stream(Authorization=f"Bearer {other}") as others,
        ):
            await events.next()
            await others.next()
            await sync_to_async(revoke)()
            assert await events.ends_soon()
            await others.next()

    run(story)


def test_all_streams_end_when_the_process_is_told_to(reader: Reader, own_hub: Hub) -> None:
    async def story() -> None:
        async with stream() as one, stream() as other:
            await one.next()
            await other.next()
            own_hub.end()
            assert await one.is_over()
            assert await other.is_over()
        async with stream() as late:
            assert await late.is_over()

    run(story)


def test_a_signal_ends_the_streams_and_then_does_what_it_did_before(
    reader: Reader, own_hub: Hub
) -> None:
    heard: list[int] = []
    former = {
        number: signal.signal(number, lambda number, frame: heard.append(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }

    async def story() -> None:
        async with stream() as events:
            await events.next()
            os.kill(os.getpid(), signal.SIGTERM)
            assert await events.is_over()

    try:
        asyncio.run(story())  # Its loop is in the main thread, as a server's is.
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    assert heard == [signal.SIGTERM]


def test_a_signal_that_ends_the_process_at_once_stays_as_it_is(
    reader: Reader, own_hub: Hub
) -> None:
    former = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        own_hub._hear_signals()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, former)


def test_a_stream_goes_on_after_the_database_was_gone(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(push, "PAUSE", 0.0)
    failures: list[None] = []

    def fail(*args: Any, **kwargs: Any) -> None:
        failures.append(None)
        raise OperationalError("gone")

    async def story() -> None:
        async with stream() as events:
            reader.apply((await events.next())[1])
            with monkeypatch.context() as patch:
                patch.setattr("tokens.feed.listing._epoch", fail)
                while len(failures) < 3:
                    await asyncio.sleep(0)
            row = await sync_to_async(deny)(at=clock.now())
            await apply_until(events, reader, row)

    run(story)
    assert caplog.messages.count("the feed of denials has no news: gone") == 1


def test_after_a_failure_the_thread_pauses(
    served: None, monkeypatch: pytest.MonkeyPatch, frozen_clock: Any
) -> None:
    tries: list[None] = []

    def fail(*args: Any, **kwargs: Any) -> None:
        tries.append(None)
        raise OperationalError("gone")

    channel = push.Channel(place_of(DeniedToken), copy_context())
    monkeypatch.setattr(channel.publication, "refresh", fail)
    channel.look()
    channel.look()
    channel.close()
    assert len(tries) == 1


def test_a_database_that_fails_refuses_the_stream(
    reader: Reader, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOKENS_FEED_READERS = "services"
    key = readers.create("shop").reveal()

    def fail(*args: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr("tokens.feed.readers._Readers.bring_up_to_date", fail)

    async def story() -> None:
        answer = await AsyncClient().get(EVENTS, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 503
        answer = await AsyncClient().post(EVENTS)
        assert answer.status_code == 405

    run(story)


def test_a_notification_is_read_at_once(
    served: None, frozen_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock stands still, so nothing but the notification causes a reading."""
    channel = push.Channel(place_of(DeniedToken), copy_context())
    announced = False
    monkeypatch.setattr(channel._notifications, "has_changes", lambda place: announced)
    channel.look()
    row = deny(at=clock.now())
    channel.look()
    listing = channel.publication._listing
    assert not listing.denials
    announced = True
    channel.look()
    assert [denial.id for denial in listing.denials] == [row.value]


def test_a_loop_that_is_closed_is_not_woken(served: None) -> None:
    async def subscribe() -> push.Subscription:
        return push.Subscription()

    subscription = asyncio.run(subscribe())
    subscription.wake()
    assert not subscription.woken.is_set()


def test_a_forked_process_begins_with_no_stream(served: None, own_hub: Hub) -> None:
    own_hub.end()
    own_hub._begin()  # As os.register_at_fork calls it.
    assert (own_hub._is_over, own_hub._channels, own_hub._thread) == (False, {}, None)
    assert publications.of(DeniedToken) is publications.of(DeniedToken)
    assert hub is not own_hub

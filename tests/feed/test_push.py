"""The stream of events: what it sends, who reads for it, and what a failure does to it."""

import asyncio
import threading
from contextvars import copy_context
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.test import AsyncClient

from tests.feed.lists import deny
from tests.feed.reader import Reader
from tests.feed.streams import EVENTS, apply_until, run, stream
from tokens import clock
from tokens.database.places import place_of
from tokens.feed import push, readers
from tokens.feed.push import Hub
from tokens.models import DeniedToken

# A stream reads in a thread, which sees no transaction of the test.
pytestmark = pytest.mark.django_db(transaction=True)


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

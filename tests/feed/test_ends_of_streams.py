"""A stream ends when its key is revoked and when its process is told to end."""

import asyncio
import os
import signal
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient

from tests.feed.reader import Reader
from tests.feed.streams import EVENTS, run, stream
from tokens import clock
from tokens.feed import readers
from tokens.feed.models import FeedReader
from tokens.feed.publication import publications
from tokens.feed.push import Hub, hub
from tokens.models import DeniedToken

# A stream reads in a thread, which sees no transaction of the test.
pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_forked_process_begins_with_no_stream(served: None, own_hub: Hub) -> None:
    own_hub.end()
    own_hub._begin()  # As os.register_at_fork calls it.
    assert (own_hub._is_over, own_hub._channels, own_hub._thread) == (False, {}, None)
    assert publications.of(DeniedToken) is publications.of(DeniedToken)
    assert hub is not own_hub

"""A service reads the feed with a key of its own, until that key is revoked."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from tests.feed.conftest import ADDRESS
from tokens import clock
from tokens.feed import readers
from tokens.feed.models import FeedReader
from tokens.feed.publication import publications
from tokens.models import DeniedToken
from tokens.testing import FrozenClock


@pytest.fixture
def services(settings: Any, served: None) -> None:
    settings.TOKENS_FEED_READERS = "services"


def bearer(key: str) -> APIClient:
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return api


def test_a_service_needs_a_key(api: APIClient, services: None) -> None:
    for path in (ADDRESS, f"{ADDRESS}?after=x"):
        answer = api.get(path)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer realm="denials"'
        assert answer["Cache-Control"] == "no-store"
    key = readers.create("shop").reveal()
    answer = bearer(key).get(ADDRESS)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, max-age=1"
    assert answer["Vary"] == "Accept-Encoding, Authorization"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic {key}", "Bearer {key}x", "Bearer é", "{key}"]
)
def test_no_other_credential_is_accepted(header: str, api: APIClient, services: None) -> None:
    key = readers.create("shop").reveal()
    api.credentials(HTTP_AUTHORIZATION=header.format(key=key))
    assert api.get(ADDRESS).status_code == 401


def test_the_scheme_may_be_written_in_any_case(api: APIClient, services: None) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"bearer  {readers.create('shop').reveal()}")
    assert api.get(ADDRESS).status_code == 200


def test_no_key_is_stored(services: None) -> None:
    key = readers.create("shop").reveal()
    row = FeedReader.objects.values().get()
    assert key.removeprefix(readers.KEY_PREFIX) not in str(row)
    assert len(key) > 50


def test_a_revoked_key_is_refused_within_a_second_in_each_process(
    services: None, frozen_clock: FrozenClock
) -> None:
    api = bearer(readers.create("shop").reveal())
    assert api.get(ADDRESS).status_code == 200
    FeedReader.objects.update(revoked_at=clock.now())  # By another process.
    frozen_clock.shift(timedelta(seconds=1))
    assert api.get(ADDRESS).status_code == 401


def test_a_key_revoked_here_is_refused_at_once(services: None) -> None:
    api = bearer(readers.create("shop").reveal())
    assert api.get(ADDRESS).status_code == 200
    pk = FeedReader.objects.get().pk
    assert (readers.revoke([pk]), readers.revoke([pk])) == (1, 0)
    assert api.get(ADDRESS).status_code == 401


def test_the_last_use_is_noted_once_in_ten_minutes(
    services: None, frozen_clock: FrozenClock, django_assert_num_queries: Any
) -> None:
    api = bearer(readers.create("shop").reveal())
    api.get(ADDRESS)
    began = clock.now()
    with django_assert_num_queries(0):
        api.get(ADDRESS)
    frozen_clock.shift(timedelta(minutes=9))
    api.get(ADDRESS)
    assert FeedReader.objects.get().last_used_at == began
    frozen_clock.shift(timedelta(minutes=1))
    api.get(ADDRESS)
    assert FeedReader.objects.get().last_used_at == clock.now()


def test_a_database_that_refuses_writes_serves_the_feed(
    services: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    api = bearer(readers.create("shop").reveal())

    def fail(*args: Any, **kwargs: Any) -> int:
        raise OperationalError("read-only")

    monkeypatch.setattr("tokens.models.uncached.UncachedQuerySet.update", fail)
    publications.of(DeniedToken).refresh()
    assert api.get(ADDRESS).status_code == 200
    assert "was not noted: read-only" in caplog.text

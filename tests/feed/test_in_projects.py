"""The feed in projects with other settings than this one."""

import pytest
from django.db import connections
from django.test import Client

from tests.feed.conftest import ADDRESS
from tests.feed.reader import Reader
from tests.feed.streams import EVENTS, run, stream
from tokens import keyring


@pytest.fixture
def atomic_requests(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", True)


@pytest.mark.usefixtures("atomic_requests", "served")
def test_a_stream_opens_in_a_project_with_atomic_requests() -> None:
    reader = Reader(keyring.jwks())

    async def story() -> None:
        async with stream() as events:
            _, document = await events.next()
            assert reader.apply(document)["from"] is None

    run(story)


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("address", [ADDRESS, EVENTS])
def test_another_method_is_not_allowed_to_any_caller(address: str) -> None:
    """Not 403 by Django's CSRF check, whose page is HTML in most projects."""
    answer = Client(enforce_csrf_checks=True).post(address)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")

"""What the address of the feed answers to everybody."""

import gzip
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from tests.feed.conftest import ADDRESS, use_key
from tests.feed.lists import deny_many
from tests.feed.reader import Reader
from tokens import clock, keyring
from tokens.feed import publication
from tokens.feed.documents import sign_document
from tokens.feed.publication import MOST_CURSORS, Publication, publications
from tokens.models import DeniedToken, SigningKey
from tokens.testing import FrozenClock

Poll = Callable[[], dict[str, Any]]


# Documents


def test_a_document_is_a_signed_text_that_a_cache_may_keep_for_a_second(
    api: APIClient, reader: Reader
) -> None:
    answer = api.get(ADDRESS)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/jwt"
    assert answer["Cache-Control"] == "public, max-age=1"
    payload = reader.apply(answer.content.decode())
    assert (payload["from"], payload["count"], payload["cut_offs"]) == (None, 0, [])


def test_the_stamp_moves_although_nothing_is_denied(
    reader: Reader, poll: Poll, frozen_clock: FrozenClock
) -> None:
    first, second, third = poll(), poll(), poll()
    assert first["at"] + 2000 == second["at"] + 1000 == third["at"]
    assert first["to"] == second["from"] == second["to"] == third["from"]
    assert abs(third["at"] - frozen_clock.now().timestamp() * 1000) < 1


def test_within_a_second_the_same_document_is_served_and_needs_no_body(
    api: APIClient, reader: Reader, frozen_clock: FrozenClock
) -> None:
    first = api.get(ADDRESS)
    frozen_clock.shift(timedelta(seconds=0.5))
    again = api.get(ADDRESS, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    frozen_clock.shift(timedelta(seconds=0.5))
    later = api.get(ADDRESS, HTTP_IF_NONE_MATCH=first["ETag"])
    assert later.status_code == 200
    assert later["ETag"] != first["ETag"]


def test_readers_share_the_query_and_the_signature(
    api: APIClient,
    reader: Reader,
    frozen_clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
) -> None:
    signed: list[Any] = []

    def sign(payload: Any, **how: Any) -> str:
        signed.append(payload)
        return sign_document(payload, **how)

    monkeypatch.setattr(publication, "sign_document", sign)
    api.get(ADDRESS)
    with django_assert_num_queries(0):
        texts = {api.get(ADDRESS).content for _ in range(20)}
    assert (len(texts), len(signed)) == (1, 1)


def test_what_is_denied_is_read_after_a_fifth_of_a_second(
    api: APIClient, reader: Reader, frozen_clock: FrozenClock
) -> None:
    api.get(ADDRESS)
    deny_many(1, at=clock.now())
    frozen_clock.shift(timedelta(seconds=0.1))
    assert reader.apply(api.get(ADDRESS).content.decode())["count"] == 0
    frozen_clock.shift(timedelta(seconds=0.1))
    assert reader.apply(api.get(ADDRESS).content.decode())["count"] == 1


def test_an_unknown_cursor_gets_the_whole_list(api: APIClient, reader: Reader) -> None:
    deny_many(3, at=clock.now())
    for cursor in ("", "junk", "\0", "9" * 5000, "a.b.1"):
        payload = reader.payload_of(api.get(ADDRESS, {"after": cursor}).content.decode())
        assert (payload["from"], payload["count"]) == (None, 3)


def test_a_stranger_who_invents_cursors_causes_few_signatures(
    api: APIClient, reader: Reader, frozen_clock: FrozenClock
) -> None:
    epoch, process, at = reader.apply(api.get(ADDRESS).content.decode())["to"].split(".")
    for number in range(MOST_CURSORS + 50):
        api.get(ADDRESS, {"after": f"{epoch}.{process}.{int(at) + number}"})
    assert len(publications.of(DeniedToken)._documents) == MOST_CURSORS


def test_a_stranger_who_invents_cursors_gets_few_increments_as_long_as_the_list(
    api: APIClient, reader: Reader, monkeypatch: pytest.MonkeyPatch, frozen_clock: FrozenClock
) -> None:
    """Each has another signature, over everything that is denied."""
    monkeypatch.setattr(publication, "MOST_CHANGES", 700)
    deny_many(300, at=clock.now())
    epoch, process, at = reader.apply(api.get(ADDRESS).content.decode())["to"].split(".")
    for number in range(20):
        answer = api.get(ADDRESS, {"after": f"{epoch}.{process}.{number}"}).content.decode()
        assert reader.payload_of(answer)["count"] == 300
    # Of the whole list, and of as many increments as have 1,000 denials together.
    assert len(publications.of(DeniedToken)._documents) == 1 + 3
    # Who is up to date gets the increment all the same.
    answer = api.get(ADDRESS, {"after": f"{epoch}.{process}.{at}"}).content.decode()
    assert reader.payload_of(answer)["from"] == f"{epoch}.{process}.{at}"


def test_a_long_document_is_compressed_if_the_client_accepts_it(
    api: APIClient, reader: Reader
) -> None:
    deny_many(1000, at=clock.now())
    plain = api.get(ADDRESS)
    short = api.get(ADDRESS, HTTP_ACCEPT_ENCODING="br, gzip;q=0.5")
    assert short["Content-Encoding"] == "gzip"
    assert gzip.decompress(short.content) == plain.content
    assert short["ETag"] != plain["ETag"]
    assert plain["Vary"] == short["Vary"] == "Accept-Encoding"
    refused = api.get(ADDRESS, HTTP_ACCEPT_ENCODING="gzip;q=0, br")
    assert "Content-Encoding" not in refused
    again = api.get(ADDRESS, HTTP_ACCEPT_ENCODING="gzip", HTTP_IF_NONE_MATCH=short["ETag"])
    assert again.status_code == 304


@pytest.mark.slow
def test_44_000_denials_fit(api: APIClient, reader: Reader) -> None:
    now = clock.now()
    deny_many(44_000, at=now)
    answer = api.get(ADDRESS, HTTP_ACCEPT_ENCODING="gzip")
    assert len(answer.content) < 2_000_000
    payload = reader.apply(gzip.decompress(answer.content).decode())
    assert payload["count"] == 44_000
    # So many in the life of a token are 126 in a second.
    deny_many(126, at=now)
    publications.of(DeniedToken).refresh(at_once=True)
    answer = api.get(ADDRESS, {"after": str(reader.cursor)})
    assert len(answer.content) < 20_000
    assert reader.apply(answer.content.decode())["count"] == 44_126


def test_only_reading_is_allowed(api: APIClient, served: None) -> None:
    for path in (ADDRESS, f"{ADDRESS}events/"):
        answer = api.post(path)
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")
        answer = api.options(path)
        assert (answer.status_code, answer["Allow"]) == (204, "GET, HEAD, OPTIONS")
    assert api.head(ADDRESS).content == b""


def test_a_server_without_asgi_says_that_it_cannot_push(api: APIClient, served: None) -> None:
    answer = api.get(f"{ADDRESS}events/")
    assert answer.status_code == 501
    assert "WSGI" in answer.json()["detail"]


# Keys


def test_documents_verify_throughout_a_rotation(
    reader: Reader, poll: Poll, frozen_clock: FrozenClock
) -> None:
    poll()
    published = {key["kid"] for key in keyring.jwks()["keys"]}
    keyring.rotate(keyring.plan_rotation())
    poll()  # By the key that was published ahead.
    assert {key["kid"] for key in reader.jwks["keys"]} == published
    frozen_clock.shift(timedelta(seconds=2))
    keyring.rotate(keyring.plan_rotation(algorithm="EdDSA"))
    reader.jwks = keyring.jwks()
    poll()
    assert SigningKey.objects.get(state="signing").algorithm == "EdDSA"


def test_there_is_no_feed_under_hmac(
    api: APIClient, served: None, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    use_key("HS256", settings)
    answer = api.get(ADDRESS)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer["Cache-Control"] == "no-store"
    assert "rotate_secret --algorithm ES256" in caplog.text


def test_a_database_that_fails_is_a_503(
    api: APIClient, served: None, monkeypatch: pytest.MonkeyPatch, frozen_clock: FrozenClock
) -> None:
    api.get(ADDRESS)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("gone")

    frozen_clock.shift(timedelta(seconds=1))
    with monkeypatch.context() as patch:
        patch.setattr("tokens.feed.listing._epoch", fail)
        assert api.get(ADDRESS).status_code == 503
    assert api.get(ADDRESS).status_code == 200


# Threads


def test_while_a_thread_reads_others_get_what_there_is(
    api: APIClient, reader: Reader, frozen_clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.get(ADDRESS)
    held = publications.of(DeniedToken)._reading
    with held:
        frozen_clock.shift(timedelta(seconds=2))
        assert api.get(ADDRESS).status_code == 200
        frozen_clock.shift(timedelta(seconds=2))
        monkeypatch.setattr(publication, "WAIT_FOR", 0.01)
        assert api.get(ADDRESS).status_code == 503


def test_a_thread_that_waited_does_not_read_again(
    served: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    one = Publication()
    one._reading.acquire()
    one._read_at = clock.elapsed() - 100

    def finish() -> None:
        one._read_at = clock.elapsed()
        one._reading.release()

    timer = threading.Timer(0.1, finish)
    timer.start()
    with django_assert_num_queries(0):
        one.refresh()
    timer.join()
    with pytest.raises(publication.NothingToServe):
        one.document(None)

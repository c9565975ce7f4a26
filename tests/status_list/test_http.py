"""How lists are served; each test names its section of the draft."""

import gzip
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from tests.status_list.conftest import BASE, TTL, bits_of, fetch, read_list, reference
from tokens import clock, keyring, sessions
from tokens.models import SigningKey
from tokens.status_list import serving
from tokens.testing.frozen import FrozenClock

PATH = "/status-lists/0"


@pytest.fixture(autouse=True)
def raw_access(user: Any, _site: None) -> str:
    return sessions.start(user).raw_access


def get(path: str = PATH, **headers: str) -> Any:
    return Client().get(path, headers=headers)


def test_the_media_type_8_2() -> None:
    answer = get(accept="application/statuslist+jwt")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/statuslist+jwt"
    assert answer.content.count(b".") == 2


@pytest.mark.parametrize("accept", ["*/*", "application/*", "application/statuslist+jwt;q=0.1"])
def test_a_client_that_accepts_the_media_type_gets_the_list_8_1(accept: str) -> None:
    assert get(accept=accept).status_code == 200


@pytest.mark.parametrize("accept", ["application/statuslist+cwt", "application/json"])
def test_there_is_no_other_format_8_1(accept: str) -> None:
    answer = get(accept=accept)
    assert answer.status_code == 406
    assert "application/statuslist+jwt only" in answer.json()["detail"]


@pytest.mark.parametrize(
    "accept", ["a/b; x*=bogus''%41", "a/b; x*=%41", ",;,/;=*", "\0", "a/b;" * 2000]
)
def test_an_accept_header_that_cannot_be_read_is_disregarded(accept: str) -> None:
    """RFC 9110 §12.5.1 allows to. Django raises for some of them."""
    assert get(accept=accept).status_code in {200, 406}


def test_services_need_no_login_where_a_project_requires_one(settings: Any) -> None:
    required = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, required]
    assert get().status_code == get("/status-lists/").status_code == 200


def test_a_list_of_the_past_is_not_implemented_8_4() -> None:
    answer = get(f"{PATH}?time=1686925000")
    assert (answer.status_code, answer["Cache-Control"]) == (501, "no-store")


@pytest.mark.parametrize("path", [PATH, "/status-lists/"])
def test_pages_of_every_origin_may_read_it_8_1(path: str) -> None:
    assert get(path, origin="https://shop.example")["Access-Control-Allow-Origin"] == "*"
    asked = Client().options(path, headers={"Origin": "https://shop.example"})
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Origin"] == "*"
    assert asked["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert get("/status-lists/99")["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", [PATH, "/status-lists/"])
def test_nothing_can_be_posted(path: str) -> None:
    answer = Client(enforce_csrf_checks=True).post(path)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_the_list_of_lists_9_3() -> None:
    answer = get("/status-lists/")
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {"status_lists": [f"{BASE}0"]}
    assert read_list(answer.json()["status_lists"][0])


@pytest.mark.parametrize("number", ["1", "00", "-1", "1e3", "9999999999"])
def test_there_are_no_other_lists(number: str) -> None:
    assert get(f"/status-lists/{number}").status_code == 404


def test_a_head_request_gets_the_headers_alone() -> None:
    answer = Client().head(PATH)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["ETag"] == get()["ETag"]


def test_a_copy_that_is_current_is_not_sent_again() -> None:
    first = get()
    again = get(if_none_match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert get(if_none_match='"another"').status_code == 200


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "gzip;q=0.01"])
def test_a_list_is_compressed_if_the_client_accepts_it_8_2(accepted: str) -> None:
    plain, answer = get(), get(accept_encoding=accepted)
    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content) == plain.content
    assert "Accept-Encoding" in answer["Vary"]
    assert answer["ETag"] != plain["ETag"]
    again = get(accept_encoding=accepted, if_none_match=answer["ETag"])
    assert again.status_code == 304


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.000, br"])
def test_a_list_is_not_compressed_for_others(accepted: str) -> None:
    answer = get(accept_encoding=accepted)
    assert "Content-Encoding" not in answer
    assert "Accept-Encoding" in answer["Vary"]


def test_a_process_reads_the_database_once_in_half_a_ttl(
    frozen_clock: FrozenClock, django_assert_num_queries: Any
) -> None:
    first = get()
    with django_assert_num_queries(0):
        assert get().content == first.content
    frozen_clock.shift(TTL / 2 - timedelta(milliseconds=500))
    keyring.signing_key()  # Which is read once a second.
    with django_assert_num_queries(0):
        assert get().content == first.content
    frozen_clock.shift(timedelta(seconds=1))
    assert read_list(f"{BASE}0")["iat"] == int(frozen_clock.now().timestamp())


def test_caches_keep_a_list_no_longer_than_the_process_13_7(frozen_clock: FrozenClock) -> None:
    assert get()["Cache-Control"] in {"public, max-age=15", "public, max-age=14"}
    frozen_clock.shift(timedelta(seconds=10))
    assert get()["Cache-Control"] in {"public, max-age=5", "public, max-age=4"}
    assert get("/status-lists/")["Cache-Control"] == "public, no-cache"


def test_an_end_is_in_every_list_that_a_reader_may_have_one_and_a_half_ttl_later(
    raw_access: str, frozen_clock: FrozenClock, user: Any
) -> None:
    """The latest that a reader does: it fetches what a cache has kept, and keeps that for a ttl."""
    get()
    ended_at = frozen_clock.now()
    sessions.end_all(user, reason=sessions.EndReason.LOGOUT)
    age = int(get()["Cache-Control"].partition("max-age=")[2])
    assert timedelta(seconds=age) + TTL <= 1.5 * TTL
    claims = read_list(f"{BASE}0")
    assert claims["exp"] >= int((ended_at + 1.5 * TTL).timestamp())
    frozen_clock.shift(timedelta(seconds=age + 1))
    idx, uri = reference(raw_access)
    assert bits_of(read_list(uri))[idx // 8] >> idx % 8 & 1


def test_after_a_rotation_the_lists_are_signed_by_the_new_key() -> None:
    before = keyring.signing_key().kid
    first = get()
    now = clock.now()
    SigningKey.objects.filter(state="signing").update(
        state="retired", retired_at=now, verifies_until=now + TTL
    )
    SigningKey.objects.filter(state="next").update(state="signing", signs_since=now)
    keyring.forget()
    assert keyring.signing_key().kid != before
    assert get()["ETag"] != first["ETag"]
    read_list(f"{BASE}0")


def test_without_a_public_key_there_is_no_list_and_no_reference(user: Any, settings: Any) -> None:
    settings.TOKENS_ALGORITHM = "HS256"
    SigningKey.objects.all().delete()
    keyring.forget()
    keyring.ensure()
    answer = get()
    assert (answer.status_code, answer["Cache-Control"]) == (404, "no-store")
    with pytest.raises(KeyError):
        reference(sessions.start(user).raw_access)


def test_without_an_address_there_are_no_lists(settings: Any) -> None:
    settings.TOKENS_STATUS_LIST_URL = None
    assert get().status_code == get("/status-lists/").status_code == 404


@pytest.mark.parametrize("path", [PATH, "/status-lists/"])
def test_while_the_database_does_not_answer_nor_do_the_lists(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**how: Any) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(serving, "build", fail)
    serving.forget()
    answer = get(path)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer["Cache-Control"] == "no-store"


def test_a_list_is_for_the_address_that_the_project_names(settings: Any) -> None:
    assert fetch(f"{BASE}0").status_code == 200
    settings.TOKENS_STATUS_LIST_URL = "https://other.example/status-lists/"
    assert read_list("https://other.example/status-lists/0")["status_list"]["aggregation_uri"] == (
        "https://other.example/status-lists/"
    )

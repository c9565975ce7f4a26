"""A process's list follows the database, whatever that went through."""

import logging
from datetime import timedelta

import pytest
from django.db import DatabaseError

from tests.feed.lists import (
    NOW,
    Client,
    after,
    as_denial,
    deny,
    deny_many,
    read,
    read_first,
    values,
)
from tokens.feed.documents import Denial
from tokens.feed.listing import OVERLAP, RENEWED_AFTER, Listing
from tokens.feed.models import Epoch
from tokens.models import DeniedToken

pytestmark = pytest.mark.django_db


def test_a_reader_gets_the_whole_list_once_and_then_what_is_new(
    listing: Listing, client: Client
) -> None:
    rows = deny_many(3)
    read_first(listing, client)
    assert set(client.denials) == values(rows)
    assert not read(listing, after(1))
    assert client.ask(listing) == "0 more"
    row = deny(at=after(2))
    assert read(listing, after(2))
    assert client.ask(listing) == "1 more"
    assert as_denial(row) in client.denials


def test_a_reading_is_a_few_queries_for_any_number_of_rows(
    listing: Listing, django_assert_num_queries: pytest.FixtureRequest
) -> None:
    deny_many(500)
    read(listing, NOW)
    with django_assert_num_queries(3):  # type: ignore[operator]
        read(listing, after(1))
    assert len(listing.read("default", now=after(2)).rows) == 0


def test_a_row_that_commits_after_hundreds_of_others_is_in_an_increment(
    listing: Listing, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    late = deny()
    pk, value = late.pk, late.value
    late.delete()
    deny_many(3 * OVERLAP)
    read_first(listing, client)
    deny(pk=pk, value=value)
    read(listing, after(1))
    assert client.ask(listing) == "1 more"
    assert Denial("sid", value) in client.denials
    assert not caplog.records
    assert Epoch.objects.count() == 1


@pytest.mark.parametrize("number", [3, 3 * OVERLAP])
def test_rows_that_are_gone_begin_another_epoch(
    number: int, listing: Listing, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    rows = deny_many(number)
    read_first(listing, client)
    epoch = listing.epoch
    rows[0].delete()
    with caplog.at_level(logging.WARNING, "tokens"):
        assert read(listing, after(1))
    assert listing.epoch != epoch
    assert "1 rows that had been read are gone" in caplog.text
    assert client.ask(listing) == "whole"
    assert set(client.denials) == values(rows[1:])
    # It is over.
    epoch = listing.epoch
    assert not read(listing, after(2))
    assert (client.ask(listing), listing.epoch) == ("0 more", epoch)


def test_another_row_with_the_number_of_a_lost_one_begins_another_epoch(
    listing: Listing, client: Client
) -> None:
    row = deny()
    read_first(listing, client)
    epoch = listing.epoch
    pk = row.pk
    row.delete()
    deny(pk=pk)
    read(listing, after(1))
    assert listing.epoch != epoch


def test_all_processes_name_the_same_epoch(listing: Listing, client: Client) -> None:
    other = Listing()
    rows = deny_many(5)
    read_first(listing, client)
    read(other, NOW)
    assert other.epoch == listing.epoch
    rows[0].delete()
    former = listing.epoch
    read(listing, after(1))
    named = listing.epoch
    read(other, after(1))
    read(listing, after(2))
    assert former != named == other.epoch == listing.epoch == Epoch.objects.get().name


def test_rows_that_no_longer_matter_can_be_deleted(listing: Listing, client: Client) -> None:
    deny_many(3 * OVERLAP)
    read_first(listing, client)
    epoch = listing.epoch
    late = 400
    read(listing, after(late - 1))
    DeniedToken.objects.all().delete()
    assert not read(listing, after(late))
    assert (listing.epoch, listing.denials) == (epoch, {})
    assert client.ask(listing) == "0 more"


def test_a_failed_reading_loses_nothing(
    listing: Listing, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = deny_many(3)
    read_first(listing, client)
    epoch = listing.epoch
    rows[0].delete()

    def fail(*args: object, **kwargs: object) -> str:
        raise DatabaseError

    with monkeypatch.context() as patch:
        patch.setattr("tokens.feed.listing._begin_epoch", fail)
        with pytest.raises(DatabaseError):
            listing.read("default", now=after(1))
    read(listing, after(2))
    assert listing.epoch != epoch
    assert set(listing.denials) == values(rows[1:])


# Cut-offs


def test_a_cut_off_that_is_moved_on_is_the_same_epoch_and_a_whole_list(
    listing: Listing, client: Client
) -> None:
    row = deny(kind="cut", value="*", issued_before=NOW)
    read_first(listing, client)
    epoch = listing.epoch
    DeniedToken.objects.filter(pk=row.pk).update(issued_before=after(60), nonce=row.nonce + 1)
    assert read(listing, after(1))
    assert listing.epoch == epoch
    assert client.ask(listing) == "whole"
    assert [denial.before for denial in client.denials] == [int(after(60).timestamp())]
    begun = Listing()
    read(begun, after(2))
    assert begun.denials == listing.denials


# Instants


def test_of_two_denials_of_one_token_the_later_instant_holds(
    listing: Listing, client: Client
) -> None:
    sid = "1" * 32
    deny(kind="ask", value=f"{sid}<2", until=after(100))
    read_first(listing, client)
    assert len(client.denials) == 2
    deny(kind="ask", value=f"{sid}<3", until=after(200))
    deny(kind="jti", value=f"{sid}.0a", until=after(50))
    read(listing, after(1))
    client.ask(listing)
    untils = {denial.id: until for denial, until in client.denials.items()}
    assert untils == {f"{sid}.{n}a": int(after(200).timestamp()) for n in range(3)}
    read(listing, after(150))
    assert client.ask(listing) == "0 more"
    assert len(client.denials) == 3
    read(listing, after(200))
    assert client.ask(listing) == "0 more"
    assert client.denials == {}


def test_what_is_past_is_forgotten_at_each_renewal(listing: Listing) -> None:
    deny_many(5)
    read(listing, NOW)
    kept = deny(at=after(300), until=after(900))
    read(listing, after(300))
    read(listing, after(360) + RENEWED_AFTER)
    assert set(listing.denials) == {as_denial(kept)}
    assert len(listing._order) == len(listing._known) == 1


def test_a_clock_that_is_set_back_begins_another_epoch(listing: Listing, client: Client) -> None:
    row = deny(until=after(30))
    read(listing, after(3600))
    client.ask(listing)
    epoch = listing.epoch
    assert read(listing, NOW)
    assert listing.epoch != epoch
    assert client.ask(listing) == "whole"
    assert set(client.denials) == {as_denial(row)}


def test_a_small_step_back_of_the_clock_keeps_the_order(listing: Listing, client: Client) -> None:
    read_first(listing, client)
    epoch = listing.epoch
    deny()
    read(listing, after(1))
    client.ask(listing)
    deny()
    read(listing, after(0.5))
    assert listing.epoch == epoch
    assert client.ask(listing) == "1 more"


def test_a_floor_in_the_future_is_not_kept(listing: Listing) -> None:
    read(listing, after(0.5))
    row = deny(until=after(0.4), at=NOW - timedelta(minutes=5))
    read(listing, NOW)
    assert as_denial(row) in listing.denials

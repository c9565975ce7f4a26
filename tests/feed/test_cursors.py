"""A cursor of one process is good at the others, and any other text gets the whole list."""

import pytest

from tests.feed.lists import NOW, Client, after, as_denial, deny, deny_many, read, read_first
from tokens.feed.listing import Listing, read_cursor

pytestmark = pytest.mark.django_db


def test_a_cursor_of_another_process_is_good(listing: Listing, client: Client) -> None:
    other = Listing()
    deny_many(30, at=after(-100))
    read_first(listing, client)
    read(other, after(0.5))
    row = deny(at=after(5))
    read(other, after(5))
    assert client.ask(other) == "1 more"
    assert as_denial(row) in client.denials
    # And back, although this process learns of it later.
    read(listing, after(6))
    assert client.ask(listing) == "1 more"
    deny(at=after(7))
    read(listing, after(7))
    read(other, after(7.2))
    assert client.ask(listing) == "1 more"
    assert client.ask(other) == "2 more"  # The one of two seconds before is sent again.


def test_a_process_that_has_just_begun_answers_an_old_cursor_by_an_increment(
    listing: Listing, client: Client
) -> None:
    deny_many(200, at=after(-100))
    read_first(listing, client)
    deny(at=after(30))
    begun = Listing()
    read(begun, after(60))
    assert client.ask(begun) == "1 more"


def test_a_row_that_a_process_guessed_wrongly_is_found_by_the_digest(
    listing: Listing, client: Client
) -> None:
    read_first(listing, client)
    deny(at=after(-60), until=after(300))  # Its transaction took a minute.
    begun = Listing()
    read(begun, after(1))
    assert client.ask(begun) == "another digest"


def test_the_changes_before_the_cursor_of_another_process_are_sent_again_up_to_a_number(
    listing: Listing, client: Client
) -> None:
    other = Listing()
    read(other, NOW)
    read_first(listing, client)
    for second in range(1, 6):
        deny_many(40, at=after(second))
        read(other, after(second))
    read(listing, after(5))
    client.ask(listing)
    # The last second, and a hundred of those before.
    assert client.ask(other) == "180 more"


@pytest.mark.parametrize(
    "text", ["", "x", "a.b", "a.b.c", "a.b.-1", "a.b.²", "a.b.1.2", "e" * 100 + ".p.1"]
)
def test_text_that_is_no_cursor_gets_the_whole_list(text: str, listing: Listing) -> None:
    read(listing, NOW)
    assert listing.since(read_cursor(text)) is None


def test_a_cursor_of_another_epoch_gets_the_whole_list(listing: Listing) -> None:
    read(listing, NOW)
    assert listing.since(listing.cursor._replace(epoch="another")) is None
    assert listing.since(listing.cursor) == {}

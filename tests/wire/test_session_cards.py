"""What the card of a session says on "My sessions"."""

from datetime import UTC, datetime, timedelta
from typing import Any

from rest_framework.test import APIClient

from tests.wire.reading import FORMS, done_by, mine, page_of, send, start
from tokens import sessions
from tokens.templatetags.tokens_times import tokens_ago, tokens_time, tokens_time_zone


def test_two_sessions_of_the_same_browser_are_told_apart(reader: APIClient, user: Any) -> None:
    one, other = start(user), start(user)
    page = page_of(reader)
    for session in (one, other):
        assert f"End the session of Firefox on Linux · {str(session.pk)[:4]}" in page


def test_the_page_shows_this_device_first(reader: APIClient, user: Any) -> None:
    start(user)
    page = page_of(reader)
    assert page.index("This device") < page.index("Firefox on Linux")
    assert page.count("This device") == 1


def test_a_card_says_what_is_known(reader: APIClient, user: Any) -> None:
    moved = sessions.start(user, client=sessions.Client("192.0.2.1", "curl/8.16.0"))
    soon = datetime.now(UTC) + timedelta(minutes=1)
    sessions.refresh(moved.raw_refresh, client=sessions.Client("198.51.100.2"), now=soon)
    sessions.start(user)
    sessions.issue_access_token(user)
    page = page_of(reader)
    assert "curl" in page
    assert "Network address 198.51.100.2" in page
    assert "from 192.0.2.1" in page
    assert "Unknown device" in page
    assert "Network address unknown" in page
    assert "It cannot be renewed" in page


def test_pages_of_sessions_are_linked(reader: APIClient, user: Any) -> None:
    for _ in range(50):
        sessions.start(user)
    assert "cursor=" in page_of(reader)
    assert "Invalid cursor" in page_of(reader, "/api/sessions/?cursor=bad")


def test_times_are_in_the_zone_of_the_project_or_the_one_that_was_chosen(
    reader: APIClient, settings: Any
) -> None:
    assert "<b data-time-zone>UTC</b>" in page_of(reader)
    began = mine().started_at
    done = send(reader, FORMS, do="zone", zone="Asia/Kolkata")
    assert done_by(done) == "zone"
    page = page_of(reader)
    assert "<b data-time-zone>Asia/Kolkata</b>" in page
    local = began + timedelta(hours=5, minutes=30)
    assert f"{local:%Y}, {local.hour % 12 or 12}:{local:%M} " in page.replace(":00 ", " ")
    assert send(reader, FORMS, do="zone", zone="Mars/Olympus")["Location"] == "/api/sessions/"
    reader.cookies["latchkey_timezone"] = "../etc/passwd"
    assert "<b data-time-zone>UTC</b>" in page_of(reader)
    reader.cookies["latchkey_timezone"] = "UTC"
    assert "<b data-time-zone>UTC</b>" in page_of(reader)


def test_a_time_says_how_long_ago_it_was() -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert tokens_ago(now - timedelta(seconds=59), now) == "just now"
    assert tokens_ago(now - timedelta(minutes=1), now).replace("\xa0", " ") == "1 minute ago"
    assert (
        tokens_ago(now - timedelta(hours=3, minutes=5), now).replace("\xa0", " ") == "3 hours ago"
    )
    text = '<time datetime="2026-11-30T12:00:00+00:00">Nov. 30, 2026, noon</time>'
    assert tokens_time(now) == text
    assert tokens_time_zone() == "UTC"

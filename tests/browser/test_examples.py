"""The pages of docs/examples.md in Chromium, served by uvicorn in a process of its own."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import watch
from tests.conftest import PASSWORD
from tests.examples.serving import PATIENCE, Served, served
from tokens import clock, sessions
from tokens.models import EndReason, Session

TIMEOUT = PATIENCE * 1000  # milliseconds

# The module of the page holds its tokens.
ACCESS = "async () => (await (await import('/static/live/auth.js')).signedIn).access"
# What a page that signs in by cookie does. It writes down what it is told.
COOKIE_PAGE = """() => {
    document.body.innerHTML = `<img alt="Badge" src="/badge/"><a href="/report/" download>Report</a>
        <output id="events"></output><output id="socket"></output>`;
    const tell = (id, text) => { document.getElementById(id).value += text; };
    const events = new EventSource("/progress/");
    events.addEventListener("progress", ({ data }) => tell("events", data));
    events.addEventListener("session-ended", ({ data }) => {
        tell("events", ` ${JSON.parse(data).code}`);
        events.close();
    });
    const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws/chat/");
    socket.onopen = () => tell("socket", "open");
    socket.onclose = ({ code }) => tell("socket", ` ${code}`);
}"""

Enter = Callable[[str, str], Page]


@pytest.fixture
def example(transactional_db: None, tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path) as example:
        yield example


@pytest.fixture
def new_page(chromium: Browser, example: Served) -> Iterator[Callable[[], Page]]:
    """Return a function that makes an empty page in a profile of its own."""
    complaints: list[str] = []
    contexts = []

    def new_page() -> Page:
        contexts.append(chromium.new_context(base_url=example.base))
        contexts[-1].set_default_timeout(TIMEOUT)
        watch(contexts[-1], complaints, host=example.host)
        return contexts[-1].new_page()

    yield new_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def enter(new_page: Callable[[], Page], django_user_model: Any) -> Enter:
    """Return a function that opens a page of the examples, and signs a new user in there."""

    def enter(path: str, name: str) -> Page:
        django_user_model.objects.create_user(name, f"{name}@example.org", PASSWORD)
        page = new_page()
        # Time goes on as usual, until a test moves it forward.
        page.clock.install()
        page.goto(path)
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_label("Username")).to_be_hidden(timeout=TIMEOUT)
        return page

    return enter


def end_session_of(name: str) -> None:
    """Revoke the session of this user in this process, which is not the server's."""
    ended = sessions.end(
        Session.objects.filter(user__username=name, ended_at=None), reason=EndReason.REVOKED
    )
    assert ended == 1


def state_is(page: Page, text: str) -> None:
    expect(page.locator("#state")).to_have_text(text, timeout=TIMEOUT)


def say(page: Page, text: str) -> None:
    page.get_by_label("Message").fill(text)
    page.get_by_role("button", name="Send").click()


def hears(page: Page, *lines: str) -> None:
    expect(page.locator("#lines li")).to_have_text(list(lines), timeout=TIMEOUT)


def test_a_chat_loses_the_user_whose_session_is_revoked(enter: Enter) -> None:
    ada, grace = enter("/chat/", "ada"), enter("/chat/", "grace")
    for page in (ada, grace):
        state_is(page, "Connected.")
    say(ada, "Hello")
    hears(grace, "ada: Hello")
    say(grace, "Good morning")
    hears(ada, "ada: Hello", "grace: Good morning")
    end_session_of("ada")
    state_is(ada, "You are signed out.")
    expect(ada.get_by_label("Message")).to_be_disabled(timeout=TIMEOUT)
    # Past the disabled fields.
    ada.locator("#say").evaluate(
        "form => { form.elements.text.value = 'Still here'; form.dispatchEvent("
        "new Event('submit', { cancelable: true })); }"
    )
    state_is(grace, "Connected.")
    say(grace, "Is anybody here?")
    hears(grace, "ada: Hello", "grace: Good morning", "grace: Is anybody here?")
    hears(ada, "ada: Hello", "grace: Good morning")


def test_a_chat_goes_on_with_new_tokens(enter: Enter, example: Served) -> None:
    page = enter("/chat/", "ada")
    state_is(page, "Connected.")
    raw_access = page.evaluate(ACCESS)
    # The token alone: the server closes the socket with 4401, and a refresh brings another token.
    with page.expect_websocket(timeout=TIMEOUT) as second:
        assert page.request.post("/api/token/revoke/", data={"token": raw_access}).ok
    state_is(page, "Connected.")
    say(page, "Here again")
    hears(page, "ada: Here again")
    with second.value.expect_event(
        "framereceived",
        lambda text: json.loads(text)["type"] == "authenticated",
        timeout=TIMEOUT,
    ):
        page.clock.run_for("02:31")  # Half of the life of an access token.
    say(page, "Still here")
    hears(page, "ada: Here again", "ada: Still here")
    assert len(example.requests("/ws/chat/")) == 2
    assert Session.objects.get().ended_at is None


def test_a_progress_stream_ends_with_the_session_and_stays_closed(
    enter: Enter, example: Served, django_user_model: Any
) -> None:
    page = enter("/watch/", "ada")
    state_is(page, "Connected.")
    example.set_progress(django_user_model.objects.get(), 40)
    expect(page.locator("progress")).to_have_js_property("value", 40, timeout=TIMEOUT)
    end_session_of("ada")
    state_is(page, "You are signed out.")
    page.clock.run_for("01:00")
    assert len(example.requests("/progress/")) == 1
    assert len(example.requests("/api/token/ticket/")) == 1
    state_is(page, "You are signed out.")
    example.assert_no_ticket_was_seen()


def test_a_progress_stream_goes_on_with_another_ticket(
    enter: Enter, example: Served, django_user_model: Any
) -> None:
    page = enter("/watch/", "ada")
    state_is(page, "Connected.")
    user = django_user_model.objects.get()
    example.set_progress(user, 40)
    expect(page.locator("progress")).to_have_js_property("value", 40, timeout=TIMEOUT)
    # The page waits before it connects again, and time stands still meanwhile.
    page.clock.pause_at(clock.now() + timedelta(hours=1))
    example.drop_streams()
    state_is(page, "Connecting again.")
    page.clock.run_for("00:03")
    state_is(page, "Connected.")
    # An access token that was revoked alone: a refresh brings another one.
    with page.expect_request("**/progress/?*", timeout=TIMEOUT):
        raw_access = page.evaluate(ACCESS)
        assert page.request.post("/api/token/revoke/", data={"token": raw_access}).ok
    example.set_progress(user, 100)
    state_is(page, "Done.")
    tickets, ids = zip(
        *(note["query"].split("&") for note in example.requests("/progress/")), strict=True
    )
    assert len(set(tickets)) == 3
    assert ids == ("after=0", "after=40", "after=40")
    example.assert_no_ticket_was_seen()


def test_a_link_and_an_image_deliver_a_file_once(enter: Enter, example: Served) -> None:
    page = enter("/files/", "ada")
    badge = page.get_by_alt_text("Your badge")
    expect(badge).to_have_js_property("naturalWidth", 64, timeout=TIMEOUT)
    with page.expect_download(timeout=TIMEOUT) as downloading:
        page.get_by_role("link", name="Download the report").click()
    assert downloading.value.suggested_filename == "report.csv"
    assert downloading.value.path().read_text() == "day,hours\nMonday,8\n"
    for path in ("/badge/", "/report/"):
        (note,) = example.requests(path)
        answer = page.request.get(f"{path}?{note['query']}")
        assert answer.status == 401
    # The link is as it was, and the next click requests another ticket.
    with page.expect_download(timeout=TIMEOUT):
        page.get_by_role("link", name="Download the report").click()
    end_session_of("ada")
    page.get_by_role("link", name="Download the report").click()
    state_is(page, "You are signed out.")
    example.assert_no_ticket_was_seen()


def test_a_page_that_a_ticket_opened_tells_nobody_the_ticket(enter: Enter, example: Served) -> None:
    page = enter("/files/", "ada")
    answer = page.request.post(
        "/api/token/ticket/",
        data={"path": "/print/"},
        headers={"Authorization": f"Bearer {page.evaluate(ACCESS)}"},
    )
    page.goto(f"/print/?ticket={answer.json()['ticket']}")
    page.get_by_role("link", name="Go on").click()
    page.wait_for_url("**/empty/")
    assert page.evaluate("document.referrer") == ""
    assert [note["query"] for note in example.requests("/badge/")][-1] == "from-print"
    example.assert_no_ticket_was_seen()


def test_a_page_that_signs_in_by_cookie_needs_no_ticket(
    new_page: Callable[[], Page], example: Served, user: Any
) -> None:
    page = new_page()
    page.goto("/empty/")
    csrf_token = page.request.get("/api/token/cookie/").json()["csrf_token"]
    credentials = {"username": user.username, "password": PASSWORD}
    headers = {"X-CSRFToken": csrf_token}
    assert page.request.post("/api/token/cookie/", data=credentials, headers=headers).ok
    example.set_progress(user, 40)
    page.evaluate(COOKIE_PAGE)
    expect(page.get_by_alt_text("Badge")).to_have_js_property("naturalWidth", 64, timeout=TIMEOUT)
    expect(page.locator("#events")).to_have_text("40", timeout=TIMEOUT)
    expect(page.locator("#socket")).to_have_text("open", timeout=TIMEOUT)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Report").click()
    assert downloading.value.suggested_filename == "report.csv"
    end_session_of(user.username)
    expect(page.locator("#events")).to_have_text("40 session_ended", timeout=TIMEOUT)
    expect(page.locator("#socket")).to_have_text("open 4401", timeout=TIMEOUT)

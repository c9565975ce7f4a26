"""Filters by device, browser and network find what the list shows under these words."""

from typing import Any

import pytest
from django.test import Client

from tests.tokens.admin.conftest import SESSIONS, page_of, shown
from tokens import sessions
from tokens.admin import networks
from tokens.admin.networks import network_in
from tokens.client.families import families_by_rules

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
AGENTS = {
    "Firefox on Linux": "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Edge on Windows": f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/142.0.0.0 "
    "Safari/537.36 Edg/142.0.0.0",
    "Chrome on Android": f"Mozilla/5.0 (Linux; Android 16; Pixel 10) {WEBKIT} Chrome/142.0.0.0 "
    "Mobile Safari/537.36",
    "Safari on iOS": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Safari on macOS": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "Chrome on ChromeOS": f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/142.0.0.0 "
    "Safari/537.36",
    "other": "curl/8.16.0",
}


@pytest.fixture
def by_device(user: Any) -> dict[str, Any]:
    return {
        name: sessions.start(user, client=sessions.Client("192.0.2.1", agent)).session.pk
        for name, agent in AGENTS.items()
    }


def names_of(found: list[Any], rows: dict[str, Any]) -> set[str]:
    return {name for name, pk in rows.items() if pk in found}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("device=Windows", {"Edge on Windows"}),
        ("device=Linux", {"Firefox on Linux"}),
        ("device=Android", {"Chrome on Android"}),
        ("device=iOS", {"Safari on iOS"}),
        ("device=macOS", {"Safari on macOS"}),
        ("device=ChromeOS", {"Chrome on ChromeOS"}),
        ("device=other", {"other"}),
        ("device=unheard", set()),
        ("browser=Firefox", {"Firefox on Linux"}),
        ("browser=Edge", {"Edge on Windows"}),
        ("browser=Chrome", {"Chrome on Android", "Chrome on ChromeOS"}),
        ("browser=Safari", {"Safari on iOS", "Safari on macOS"}),
        ("browser=other", {"other"}),
        ("browser=Safari&device=iOS", {"Safari on iOS"}),
    ],
)
def test_a_device_finds(
    supporter: Client, by_device: dict[str, Any], query: str, expected: set[str]
) -> None:
    assert names_of(shown(supporter.get(f"{SESSIONS}?{query}")), by_device) == expected


def test_every_session_is_found_by_exactly_one_device_and_one_browser(
    supporter: Client, by_device: dict[str, Any]
) -> None:
    for kind, values in (
        ("device", ("Windows", "macOS", "Linux", "iOS", "Android", "ChromeOS", "other")),
        ("browser", ("Chrome", "Edge", "Firefox", "Safari", "other")),
    ):
        found = [pk for each in values for pk in shown(supporter.get(f"{SESSIONS}?{kind}={each}"))]
        assert sorted(found) == sorted(by_device.values())


def test_the_rules_name_these_devices_too() -> None:
    assert families_by_rules(AGENTS["Edge on Windows"]) == ("Edge", "Windows")


def test_a_device_is_looked_for_among_so_many_rows_and_the_page_says_so(
    supporter: Client, by_device: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokens.operations.tally.WINDOW", 2)
    answer = supporter.get(f"{SESSIONS}?device=Linux")
    assert shown(answer) == []
    assert "covers only the first" in answer.content.decode()


@pytest.mark.parametrize(
    ("typed", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("192.0.2.77/32", "192.0.2.77/32"),
        ("192.0.2.0/20", "192.0.0.0/16"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("2001:DB8:4f:1::2c", "2001:db8:4f::/48"),
        ("2001:db8::/33", "2001:db8::/32"),
        ("2001:db8::1/128", "2001:db8::1/128"),
        ("10.0.0.0/7", None),
        ("10.0.0.0/33", None),
        ("10.0.0.0/x", None),
        ("example.org", None),
        ("", None),
    ],
)
def test_a_network_is_read(typed: str, network: str | None) -> None:
    found = network_in(typed)
    assert (found and str(found)) == network


ADDRESSES = (
    "192.0.2.1",
    "192.0.2.254",
    "192.0.20.1",
    "192.0.3.1",
    "2001:db8::17",
    "2001:db8:0:1:2::5",
    "2001:db8:4f:1::2c",
    "2001:db8:4f0::1",
    "2001:db80::1",
)


@pytest.fixture
def by_address(user: Any) -> dict[str, Any]:
    return {
        address: sessions.start(user, client=sessions.Client(address)).session.pk
        for address in ADDRESSES
    }


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("192.0.2.0/24", {"192.0.2.1", "192.0.2.254"}),
        ("192.0.2.1", {"192.0.2.1", "192.0.2.254"}),
        ("192.0.2.1/32", {"192.0.2.1"}),
        ("192.0.0.0/16", {"192.0.2.1", "192.0.2.254", "192.0.20.1", "192.0.3.1"}),
        ("2001:db8::/48", {"2001:db8::17", "2001:db8:0:1:2::5"}),
        ("2001:db8:4f::/48", {"2001:db8:4f:1::2c"}),
        (
            "2001:db8::/32",
            {"2001:db8::17", "2001:db8:0:1:2::5", "2001:db8:4f:1::2c", "2001:db8:4f0::1"},
        ),
        ("198.51.100.0/24", set()),
        ("nonsense", set()),
    ],
)
@pytest.mark.parametrize("most", [1000, 0])
def test_a_network_finds(
    supporter: Client,
    by_address: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    network: str,
    expected: set[str],
    most: int,
) -> None:
    monkeypatch.setattr(networks, "MAX_IN_NETWORK", most)
    answer = supporter.get(f"{SESSIONS}?network={network}")
    assert names_of(shown(answer), by_address) == expected
    assert ("Enter a network such as" in answer.content.decode()) == (network == "nonsense")


def test_a_network_is_searched_for_too(supporter: Client, by_address: dict[str, Any]) -> None:
    answer = supporter.post(f"{SESSIONS}find/", {"q": "192.0.2.0/24"}, follow=True)
    assert names_of(shown(answer), by_address) == {"192.0.2.1", "192.0.2.254"}


def test_a_busy_network_shows_the_newest_and_says_so(
    supporter: Client, by_address: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "MAX_IN_NETWORK", 1)
    monkeypatch.setattr("tokens.operations.tally.WINDOW", 2)
    answer = supporter.get(f"{SESSIONS}?network=192.0.2.0/24")
    assert shown(answer) == []
    assert "covers only the first" in answer.content.decode()


def test_the_form_keeps_the_other_filters(supporter: Client, by_address: dict[str, Any]) -> None:
    page = supporter.get(f"{SESSIONS}?state=live&network=192.0.2.9").content.decode()
    form = page.partition('class="tokens-network"')[2].partition("</form>")[0]
    assert '<input type="hidden" name="state" value="live">' in form
    assert 'value="192.0.2.0/24"' in form
    assert 'href="?state=live">All networks' in form


def test_a_session_leads_to_the_others_from_its_network(
    supporter: Client, by_address: dict[str, Any], user: Any
) -> None:
    pair = sessions.start(user, client=sessions.Client("192.0.2.7"))
    page = supporter.get(page_of(pair.session)).content.decode()
    assert '<a href="/admin/tokens/session/?network=192.0.2.0%2F24">' in page
    unknown = sessions.start(user)
    assert "?network=" not in supporter.get(page_of(unknown.session)).content.decode()

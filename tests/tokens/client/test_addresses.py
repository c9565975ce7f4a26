"""Which address a request is counted and stored under, whatever its proxies write."""

from typing import Any

import pytest
from rest_framework.test import APIRequestFactory

from tokens.client import ip_address_of
from tokens.client.forwarded import read_address

PROXY = "10.0.0.9"


def address_of(**headers: Any) -> str | None:
    return ip_address_of(APIRequestFactory().get("/", REMOTE_ADDR=PROXY, **headers))


# (what a proxy writes for its client, the address)
NODES = [
    ("203.0.113.7", "203.0.113.7"),
    ("203.0.113.7:51234", "203.0.113.7"),
    ("  203.0.113.7 \t", "203.0.113.7"),
    ('"203.0.113.7"', "203.0.113.7"),
    ('"203.0.113.7:51234"', "203.0.113.7"),
    ("203.0.113.7:_port", "203.0.113.7"),
    ("[203.0.113.7]:443", "203.0.113.7"),
    ("2001:DB8::1", "2001:db8::1"),
    ("2001:db8:0:0:0:0:0:1", "2001:db8::1"),
    ("[2001:db8::1]", "2001:db8::1"),
    ("[2001:db8::1]:443", "2001:db8::1"),
    ('"[2001:db8::1]:443"', "2001:db8::1"),
    ("fe80::1%eth0", "fe80::1"),
    ("[fe80::1%25eth0]:443", "fe80::1"),
    ("::ffff:203.0.113.7", "203.0.113.7"),
    ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
    ("::ffff:cb00:7107", "203.0.113.7"),
]
UNREADABLE = [
    "",
    " ",
    "unknown",
    "_hidden",
    "unix:",
    "-",
    "(null)",
    "localhost",
    "203.0.113",
    "203.0.113.256",
    "203.0.113.07",
    "0x7f.1",
    "203.0.113.7:port:1",
    "203.0.113.7:123456",
    "203.0.113.7%eth0",
    "[2001:db8::1",
    "2001:db8::1]",
    "[[2001:db8::1]]",
    "2001:db8::1:51234",  # which part is the port cannot be known
    '"203.0.113.7',
    '"',
    "203.0.113.7;drop",
    "٢٠٣.0.113.7",
    "1" * 8000,
]


@pytest.mark.parametrize(("node", "address"), NODES)
def test_an_address_is_read_in_every_form_that_proxies_write(node: str, address: str) -> None:
    assert read_address(node) == address


@pytest.mark.parametrize("node", UNREADABLE)
def test_what_is_no_address_is_read_as_none(node: str) -> None:
    assert read_address(node) is None


@pytest.mark.parametrize(("node", "address"), NODES)
@pytest.mark.parametrize("left", ["", "6.6.6.6,", '", ', "6.6.6.6, 7.7.7.7:1 ,", ",,,", '"a\\'])
def test_the_entry_of_the_trusted_proxy_counts_and_not_what_the_client_sent(
    settings: Any, node: str, address: str, left: str
) -> None:
    settings.TOKENS_TRUSTED_PROXIES = 1
    separator = "," if left and not left.rstrip().endswith(",") else ""
    assert address_of(HTTP_X_FORWARDED_FOR=f"{left}{separator}{node}") == address


@pytest.mark.parametrize(
    ("proxies", "forwarded", "believed"),
    [
        (0, "203.0.113.5", PROXY),
        (-1, "203.0.113.5", PROXY),
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        (2, "6.6.6.6, 203.0.113.5, 10.0.0.1", "203.0.113.5"),
        (2, "6.6.6.6, 203.0.113.5:1, [fe80::1%eth0]:2", "203.0.113.5"),
        (2, "203.0.113.5", "203.0.113.5"),
        (9, "203.0.113.5, 10.0.0.1", "203.0.113.5"),
    ],
)
def test_the_header_is_believed_as_far_as_our_own_proxies_wrote_it(
    settings: Any, proxies: int, forwarded: str, believed: str
) -> None:
    settings.TOKENS_TRUSTED_PROXIES = proxies
    assert address_of(HTTP_X_FORWARDED_FOR=forwarded) == believed


@pytest.mark.parametrize("forwarded", [*UNREADABLE, "203.0.113.5, ", "203.0.113.5, unknown"])
def test_an_unreadable_entry_never_becomes_the_address_of_the_proxy(
    settings: Any, forwarded: str
) -> None:
    settings.TOKENS_TRUSTED_PROXIES = 1
    assert address_of(HTTP_X_FORWARDED_FOR=forwarded) is None
    assert address_of() is None


@pytest.mark.parametrize(
    ("element", "address"),
    [
        ("for=203.0.113.7", "203.0.113.7"),
        ("For=203.0.113.7", "203.0.113.7"),
        ('FOR="203.0.113.7:51234"', "203.0.113.7"),
        ("for=203.0.113.7:51234", "203.0.113.7"),
        ('for="[2001:db8::1]:443"', "2001:db8::1"),
        ('for="[2001:db8::1]"', "2001:db8::1"),
        ("for=[2001:db8::1]", "2001:db8::1"),
        (r'for="203\.0.113.7"', "203.0.113.7"),
        ("by=10.0.0.1;for=203.0.113.7;proto=https;host=example.org", "203.0.113.7"),
        ('host="a,b;for=6.6.6.6" ; for=203.0.113.7;', "203.0.113.7"),
        (r'by="\"";for=203.0.113.7', "203.0.113.7"),
        (r'by="a\\";for=203.0.113.7', "203.0.113.7"),
        ("for=unknown", None),
        ('for="_hidden"', None),
        ("by=10.0.0.1", None),
        ("203.0.113.7 for", None),
        ("for=", None),
        ("for=203.0.113.7;for=6.6.6.6", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("left", ["", "for=6.6.6.6, ", 'for=", ', 'for="a\\", ', '";,"\\,', ",,"])
def test_forwarded_is_read_from_the_right_and_what_the_client_sent_is_ignored(
    settings: Any, element: str, address: str | None, left: str
) -> None:
    settings.TOKENS_TRUSTED_PROXIES = 1
    settings.TOKENS_FORWARDED_HEADER = "forwarded"
    assert address_of(HTTP_FORWARDED=left + element) == address


def test_forwarded_of_two_proxies_names_the_client_of_the_outer_one(settings: Any) -> None:
    settings.TOKENS_TRUSTED_PROXIES = 2
    settings.TOKENS_FORWARDED_HEADER = "forwarded"
    inner = 'for="[2001:db8::9]:1";proto=http'
    assert address_of(HTTP_FORWARDED=f'for=", for=203.0.113.7;by="_a", {inner}') == "203.0.113.7"


def test_only_the_header_that_the_proxies_write_is_believed(settings: Any) -> None:
    settings.TOKENS_TRUSTED_PROXIES = 1
    both: dict[str, Any] = {
        "HTTP_X_FORWARDED_FOR": "203.0.113.5",
        "HTTP_FORWARDED": "for=203.0.113.7",
    }
    assert address_of(**both) == "203.0.113.5"
    assert address_of(HTTP_FORWARDED="for=203.0.113.7") is None
    settings.TOKENS_FORWARDED_HEADER = "forwarded"
    assert address_of(**both) == "203.0.113.7"
    assert address_of(HTTP_X_FORWARDED_FOR="203.0.113.5") is None


@pytest.mark.parametrize(("node", "address"), NODES)
def test_the_address_of_the_connection_may_have_any_of_these_forms(node: str, address: str) -> None:
    assert ip_address_of(APIRequestFactory().get("/", REMOTE_ADDR=node)) == address

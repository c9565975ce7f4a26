"""A device is named by known families only: no client writes to a user in its user agent."""

import re
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ua_parser import parse

from tokens.client import devices, families
from tokens.client.devices import SOFTWARE, SYSTEMS, device_of

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
WINDOWS = "Windows NT 10.0; Win64; x64"
ANDROID = "Linux; Android 14; Pixel 8"
IPHONE = "iPhone; CPU iPhone OS 17_1 like Mac OS X"
CHROME = f"Mozilla/5.0 ({WINDOWS}) {WEBKIT} Chrome/120.0.0.0 Safari/537.36"
CALL = "Call +1 555 0100, your account is locked"
UNKNOWN = "Unknown device"
EVERY_NAME = {UNKNOWN, *SOFTWARE, *SYSTEMS} | {
    f"{software} on {system}" for software, system in product(SOFTWARE, SYSTEMS)
}


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (CHROME, "Chrome on Windows"),
        (f"{CHROME} Edg/120.0.0.0", "Edge on Windows"),
        (f"{CHROME} OPR/106.0.0.0", "Opera on Windows"),
        (f"{CHROME} Vivaldi/6.5", "Vivaldi on Windows"),
        (
            f"Mozilla/5.0 ({WINDOWS}) {WEBKIT} Brave Chrome/120.0.0.0 Safari/537.36",
            "Brave on Windows",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Ubuntu",
        ),
        (
            f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/120.0.0.0 Safari/537.36",
            "Chrome on Chrome OS",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/17.1 Safari/605.1.15",
            "Safari on Mac OS X",
        ),
        (
            f"Mozilla/5.0 ({IPHONE}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 "
            "Safari/604.1",
            "Mobile Safari on iOS",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 14; SM-S918B) {WEBKIT} SamsungBrowser/23.0 Chrome/115.0.0.0 "
            "Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        ("MyApp/1 CFNetwork/1490.0.4 Darwin/23.2.0", "iOS"),
        ("Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UP1A)", "Android"),
        ("okhttp/4.12.0", "okhttp"),
        ("curl/8", "curl"),
        ("python-requests/2.31", "Python Requests"),
        ("Dart/3.2 (dart:io)", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_known_software_and_systems_are_named(user_agent: str, device: str) -> None:
    assert device_of(user_agent) == device


@pytest.mark.parametrize(
    "user_agent",
    [
        f"{CALL}/1.0",
        "Evil Corp Support/1.0",
        f"Mozilla/5.0 (compatible; {CALL} Bot/1.0)",
        f"Mozilla/5.0 (compatible; {CALL} crawler/1.0)",
        "Your account is locked spider/1.0",
    ],
)
def test_a_sentence_is_no_device(user_agent: str) -> None:
    assert device_of(user_agent) == UNKNOWN


@pytest.mark.parametrize(
    "user_agent",
    [
        f"{CALL}/1 CFNetwork/1490.0.4 Darwin/23.2.0",
        f"{CALL}-iPhone/1 CFNetwork/1490.0.4 Darwin/23.2.0",
    ],
)
def test_an_app_of_any_name_is_its_system(user_agent: str) -> None:
    found = parse(user_agent).user_agent
    assert found is not None
    assert CALL in found.family
    assert device_of(user_agent) == "iOS"


FORMS = [
    "{}",
    "{}/1.0",
    "{}Bot/1.0",
    "{} spider",
    "{}/1 CFNetwork/1 Darwin/23",
    "{}-iPad/1 CFNetwork/1",
    "Mozilla/5.0 (compatible; {}/1.0; +https://evil.example)",
    f"Mozilla/5.0 ({{}}; {WINDOWS}) {WEBKIT} Chrome/120 Safari/537.36 {{}}/1.0",
    "Mozilla/5.0 (Linux; Android 14; {}) Version/4.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; {}) FBAN/{};FBAV/1.0",
]
WORDS = st.text(st.characters(codec="utf-8"), max_size=40) | st.from_regex(
    r"[A-Za-z+0-9 .:-]{1,40}", fullmatch=True
)
KNOWN = st.sampled_from(sorted(SOFTWARE | SYSTEMS))


@given(form=st.sampled_from(FORMS), text=WORDS | st.tuples(WORDS, KNOWN, WORDS).map(" ".join))
@example(form="Mozilla/5.0 (Linux; Android 14; {}) Version/4.0 Mobile Safari/537.36", text=" ")
@example(form="{}", text="Chrome on Windows\n\nCall +1 555 0100")
def test_the_name_is_always_one_of_a_fixed_set(form: str, text: str) -> None:
    assert device_of(form.replace("{}", text)) in EVERY_NAME


def test_no_name_holds_what_mail_could_turn_into_a_link_or_a_number() -> None:
    assert not [name for name in SOFTWARE | SYSTEMS if re.search(r"\d|://|@|\w\.\w", name)]


@pytest.mark.parametrize(
    "user_agent",
    [
        CHROME,
        f"{CHROME} Edg/120.0.0.0",
        f"{CHROME} OPR/106.0.0.0",
        f"{CHROME} Vivaldi/6.5",
        f"Mozilla/5.0 ({WINDOWS}) {WEBKIT} Chrome/120.0.0.0 YaBrowser/24.1.1.1 Yowser/2.5 Safari/537.36",
        f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/120.0.0.0 Safari/537.36",
        f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/120.0.0.0 Safari/537.36",
        f"Mozilla/5.0 ({ANDROID}) {WEBKIT} Chrome/120.0.0.0 Mobile Safari/537.36",
        f"Mozilla/5.0 ({ANDROID}) {WEBKIT} Chrome/120.0.0.0 Mobile Safari/537.36 EdgA/120.0",
        f"Mozilla/5.0 ({ANDROID}) {WEBKIT} Chrome/120.0.0.0 Mobile Safari/537.36 OPR/76.2.4027.73374",
        f"Mozilla/5.0 ({ANDROID}; wv) {WEBKIT} Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36",
        f"Mozilla/5.0 ({ANDROID}) {WEBKIT} SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/17.1 Safari/605.1.15",
        *(
            f"Mozilla/5.0 ({IPHONE}) AppleWebKit/605.1.15 (KHTML, like Gecko) {browser} Mobile/15E148 "
            "Safari/604.1"
            for browser in (
                "Version/17.1",
                "CriOS/120.0",
                "FxiOS/120.0",
                "EdgiOS/120.0 Version/17.0",
            )
        ),
        "Go-http-client/2.0",
        "HTTPie/3.2.2",
        "PostmanRuntime/7.36.0",
        "Wget/1.21",
        "axios/1.6.2",
        "curl/8.5.0",
        "okhttp/4.12.0",
        "python-requests/2.31",
    ],
)
def test_the_rules_name_a_device_as_ua_parser_does(user_agent: str) -> None:
    """So that the devices keep their names if a project installs or removes the package."""
    named = families.families_by_rules(user_agent)
    assert named == families.families_by_ua_parser(user_agent)
    assert named[0] in SOFTWARE


@given(form=st.sampled_from(FORMS), text=WORDS | st.tuples(WORDS, KNOWN, WORDS).map(" ".join))
def test_without_ua_parser_too_the_name_is_one_of_a_fixed_set(form: str, text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "families_of", families.families_by_rules)
        assert device_of(form.replace("{}", text)) in EVERY_NAME


def test_without_ua_parser_other_software_is_told_apart_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(devices, "families_of", families.families_by_rules)
    ours, theirs = "OurApp/1.0 (Dart)", "TheirApp/1.0 (Dart)"
    assert families.families_by_rules(ours) != families.families_by_rules(theirs)
    assert device_of(ours) == device_of(theirs) == UNKNOWN

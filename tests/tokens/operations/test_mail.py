"""Mail about a new device and about reuse is off by default, and harmless when it fails."""

import logging
import re
from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from tests.support.grace import be_used
from tokens import keyring, sessions
from tokens.errors import RefreshTokenReused
from tokens.models import Session
from tokens.operations import mail as notifications

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
HOME = "192.0.2.1"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _wanted(settings: Any, tokens_process: None) -> None:
    settings.TOKENS_NOTIFY_USERS = True
    keyring.ensure()


def start(user: Any, address: str | None = HOME, agent: str = FIREFOX, **how: Any) -> Any:
    return sessions.start(user, client=sessions.Client(address, agent), **how)


def reuse(pair: Any) -> None:
    sessions.refresh(pair.raw_refresh, client=sessions.Client(HOME), now=pair.session.started_at)
    be_used(pair)
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(pair.raw_refresh, client=sessions.Client("203.0.113.7"))


def test_a_first_session_and_a_known_device_are_no_news(user: Any) -> None:
    for address in (HOME, HOME, "192.0.2.254"):
        start(user, address)
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("address", "agent"),
    [(HOME, SAFARI), ("192.0.3.1", FIREFOX), ("2001:db8::1", FIREFOX), (None, FIREFOX)],
)
def test_another_device_or_network_is(user: Any, address: str | None, agent: str) -> None:
    start(user)
    for _ in range(2):
        start(user, address, agent)
    (message,) = mail.outbox
    assert message.to == ["ada@example.org"]
    assert message.subject == "Latchkey: sign-in on a new device"
    assert f"Address     {address or 'unknown'}\n" in message.body
    assert ("Mobile Safari on iOS" if agent == SAFARI else "Firefox on Linux") in message.body


def test_an_ipv6_network_is_known_by_48_bits(user: Any) -> None:
    start(user, "2001:db8:1:1::1")
    start(user, "2001:db8:1:2::1")
    assert mail.outbox == []
    start(user, "2001:db8:2::1")
    assert len(mail.outbox) == 1


def test_another_persons_devices_are_not_ones_own(user: Any, django_user_model: Any) -> None:
    start(user)
    bob = django_user_model.objects.create_user("bob", "bob@example.org")
    start(bob, HOME, SAFARI)
    start(bob, HOME, FIREFOX)
    assert [message.to for message in mail.outbox] == [["bob@example.org"]]


def test_only_the_last_sessions_are_compared(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "MAX_COMPARED_SESSIONS", 1)
    begun = timezone.now()
    start(user, HOME, SAFARI, now=begun - timedelta(days=2))
    start(user, HOME, FIREFOX, now=begun - timedelta(days=1))
    start(user, HOME, SAFARI, now=begun)
    assert len(mail.outbox) == 2


def test_reuse_names_both_addresses_and_holds_no_token_and_no_link(user: Any) -> None:
    pair = start(user, now=timezone.now() - timedelta(minutes=1))
    reuse(pair)
    (message,) = mail.outbox
    assert message.subject == "Latchkey: one of your sessions was ended for safety"
    assert "Last used from      192.0.2.1\n" in message.body
    assert "Used again from     203.0.113.7\n" in message.body
    text = str(message.message())
    for raw in (pair.raw_access, pair.raw_refresh, *pair.raw_refresh.split(".")):
        assert raw not in text
    assert not re.search(r"https?:|www\.|<a ", text)


def repeat(pair: Any, client: sessions.Client) -> None:
    sessions.refresh(pair.raw_refresh, client=client)


def test_a_superseded_token_from_elsewhere_is_news_the_first_time(user: Any) -> None:
    pair, home = start(user), sessions.Client(HOME, FIREFOX)
    for client in (home, home, sessions.Client(HOME, SAFARI)):
        repeat(pair, client)
    assert mail.outbox == []
    for _ in range(3):
        repeat(pair, sessions.Client("203.0.113.7", SAFARI))
    (message,) = mail.outbox
    assert message.subject == "Latchkey: your session was used from another place"
    assert "Last used from      192.0.2.1\n" in message.body
    assert "Also used from      203.0.113.7\n" in message.body
    for raw in (pair.raw_access, pair.raw_refresh, *pair.raw_refresh.split(".")):
        assert raw not in str(message.message())


def test_off_by_default(user: Any, settings: Any) -> None:
    del settings.TOKENS_NOTIFY_USERS
    pair = start(user)
    start(user, HOME, SAFARI)
    for client in (sessions.Client(HOME), sessions.Client("203.0.113.7", SAFARI)):
        repeat(pair, client)
    reuse(start(user, now=timezone.now() - timedelta(minutes=1)))
    assert mail.outbox == []


def test_a_user_without_an_address_gets_no_mail(user: Any) -> None:
    type(user).objects.update(email="")
    user.refresh_from_db()
    start(user)
    start(user, HOME, SAFARI)
    assert mail.outbox == []


def test_mail_that_cannot_be_sent_is_logged_and_nothing_else(
    user: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise SMTPRecipientsRefused({"ada@example.org": (550, b"no such user")})

    caplog.set_level(logging.INFO)
    monkeypatch.setattr(notifications, "send_mail", fail)
    start(user)
    pair = start(user, HOME, SAFARI)
    sessions.authenticate(pair.raw_access)
    assert Session.objects.count() == 2
    assert "mail_not_sent" in caplog.text
    assert "reason=SMTPRecipientsRefused" in caplog.text
    assert "ada@example.org" not in caplog.text


def test_what_a_stranger_calls_their_browser_stays_one_short_line(user: Any) -> None:
    start(user)
    start(user, HOME, "curl/8 " + "https://evil.example/ " * 9)
    device = re.search(r"Device      (.*)\n", str(mail.outbox[0].body))
    assert device
    assert len(device[1]) <= 60
    assert "evil" not in device[1]


def test_mail_repeats_nothing_that_a_client_says_of_itself(user: Any) -> None:
    start(user)
    start(user, "198.51.100.7", "Mozilla/5.0 (compatible; Call +1 555 0100 Bot/1.0)")
    (message,) = mail.outbox
    assert "555" not in message.body
    assert "Unknown device" in message.body


def test_two_unknown_devices_of_a_network_are_two_devices(user: Any) -> None:
    for name in ("first", "second"):
        start(user, HOME, f"{name}/1 CFNetwork/1490.0.4 Darwin/23.2.0")
    assert len(mail.outbox) == 1

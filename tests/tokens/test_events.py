"""Each event is sent once, after the commit, and no receiver can undo what happened."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.support.grace import be_used, end_grace
from tokens import denylist, keyring, sessions, signals
from tokens.errors import RefreshTokenReused, SessionEnded
from tokens.models import DeniedToken, EndReason, Session

CLIENT = sessions.Client("192.0.2.1", "Firefox")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _signing_key(tokens_process: None) -> None:
    keyring.ensure()


@contextmanager
def heard(*of: Signal) -> Iterator[list[dict[str, Any]]]:
    calls: list[dict[str, Any]] = []

    def listen(signal: Signal, **arguments: Any) -> None:
        calls.append({"signal": signal, **arguments})

    for signal in of:
        signal.connect(listen)
    try:
        yield calls
    finally:
        for signal in of:
            signal.disconnect(listen)


def logged(caplog: pytest.LogCaptureFixture) -> dict[str, dict[str, str]]:
    return {
        record.event: vars(record)["fields"]
        for record in caplog.records
        if hasattr(record, "event")
    }


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tokens")


def test_a_start_and_a_refresh(user: Any, caplog: pytest.LogCaptureFixture) -> None:
    with heard(signals.session_started, signals.session_refreshed) as calls:
        pair = sessions.start(user, client=CLIENT)
        started = logged(caplog)["session_started"]
        pair = sessions.refresh(pair.raw_refresh, client=CLIENT)
        end_grace(pair)
        sessions.refresh(pair.raw_refresh, client=CLIENT)
    session = pair.session
    assert [call["signal"] for call in calls] == [signals.session_started] + [
        signals.session_refreshed
    ] * 2
    assert {call["session"].pk for call in calls} == {session.pk}
    assert {call["client"] for call in calls} == {CLIENT}
    assert calls[0]["sender"] is Session
    assert started == {
        "sid": str(session.pk),
        "jti": f"{session.pk.hex}.0a",
        "kid": session.kid,
        "user": str(user.pk),
        "address": "192.0.2.1",
    }
    assert logged(caplog)["session_refreshed"]["jti"] == f"{session.pk.hex}.2a"


def test_an_answer_that_is_given_again_is_no_refresh(user: Any) -> None:
    pair = sessions.start(user)
    sessions.refresh(pair.raw_refresh)
    with heard(signals.session_refreshed) as calls:
        sessions.refresh(pair.raw_refresh)
    assert calls == []


def test_a_reuse_names_both_addresses_and_the_session_ends_once(
    user: Any, caplog: pytest.LogCaptureFixture
) -> None:
    earlier = timezone.now() - timedelta(minutes=1)
    pair = sessions.start(user, client=CLIENT, now=earlier)
    sessions.refresh(pair.raw_refresh, client=CLIENT, now=earlier)
    be_used(pair)
    thief = sessions.Client("203.0.113.7")
    with heard(signals.reuse_detected, signals.session_ended) as calls:
        with pytest.raises(RefreshTokenReused):
            sessions.refresh(pair.raw_refresh, client=thief)
        with pytest.raises(SessionEnded):
            sessions.refresh(pair.raw_refresh, client=thief)
    assert [call["signal"] for call in calls] == [signals.session_ended, signals.reuse_detected]
    assert calls[1]["client"] == thief
    assert logged(caplog)["session_ended"]["reason"] == "reuse"
    reuse = logged(caplog)["reuse_detected"]
    assert (reuse["address"], reuse["last_address"]) == ("203.0.113.7", "192.0.2.1")


def test_an_end_says_who_did_it_and_why(user: Any, caplog: pytest.LogCaptureFixture) -> None:
    session = sessions.start(user).session
    with heard(signals.session_ended) as calls:
        for _ in range(2):
            sessions.end(
                [session], reason=EndReason.REVOKED, note="a lost phone", by=user, client=CLIENT
            )
    (call,) = calls
    told = {name: call[name] for name in ("sid", "user_id", "reason", "note", "by", "client")}
    assert told == {
        "sid": session.pk,
        "user_id": user.pk,
        "reason": "revoked",
        "note": "a lost phone",
        "by": user,
        "client": CLIENT,
    }
    assert logged(caplog)["session_ended"]["by"] == str(user.pk)
    assert "note='a lost phone'" in caplog.text


def test_of_many_only_those_that_were_live_are_told(user: Any) -> None:
    former, *live = [sessions.start(user).session for _ in range(3)]
    sessions.end([former], reason=EndReason.REVOKED, now=timezone.now() - timedelta(seconds=1))
    with heard(signals.session_ended) as calls:
        assert sessions.end([former, *live], reason=EndReason.REVOKED) == 2
    assert {call["sid"] for call in calls} == {session.pk for session in live}


def test_a_denied_token(user: Any, caplog: pytest.LogCaptureFixture) -> None:
    pair = sessions.start(user)
    with heard(signals.token_denied, signals.session_ended) as calls:
        sessions.revoke(pair.raw_access, client=CLIENT)
    (call,) = calls
    assert (call["jti"], call["user_id"]) == (f"{pair.session.pk.hex}.0a", user.pk)
    assert call["until"] == DeniedToken.objects.get().until
    assert logged(caplog)["token_denied"] == {
        "jti": call["jti"],
        "reason": "revoked",
        "address": "192.0.2.1",
        "user": str(user.pk),
    }


def test_a_rotation_and_a_revoked_key(user: Any, caplog: pytest.LogCaptureFixture) -> None:
    former = keyring.signing_key().kid
    plan = keyring.plan_rotation(revoke_previous=True)
    with heard(signals.key_rotated) as calls:
        keyring.rotate(plan, by=user, reason="a stolen backup")
    (call,) = calls
    assert call["kid"] == keyring.signing_key().kid
    assert (call["former"], call["by"]) == (former, user)
    assert former in call["revoked"]
    line = logged(caplog)["key_rotated"]
    assert (line["reason"], line["by"]) == ("a stolen backup", str(user.pk))


def test_what_is_rolled_back_has_not_happened(user: Any, caplog: pytest.LogCaptureFixture) -> None:
    session = sessions.start(user).session
    with heard(*signals.SIGNALS) as calls:
        with transaction.atomic():
            sessions.start(user)
            user.is_active = False
            user.save()
            transaction.set_rollback(True)
        assert calls == []
        assert "session_ended" not in logged(caplog)
        with transaction.atomic():
            sessions.end([session], reason=EndReason.REVOKED)
            assert calls == []
        assert [call["signal"] for call in calls] == [signals.session_ended]


def test_a_receiver_that_fails_undoes_nothing_and_stops_no_other_receiver(
    user: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**arguments: Any) -> None:
        raise OSError("the audit server is down")

    for signal in signals.SIGNALS:
        signal.connect(fail)
    try:
        with heard(*signals.SIGNALS) as calls:
            pair = sessions.refresh(sessions.start(user).raw_refresh)
            sessions.authenticate(pair.raw_access)
            sessions.revoke(pair.raw_access)
            sessions.revoke(pair.raw_refresh)
            keyring.rotate(keyring.plan_rotation())
    finally:
        for signal in signals.SIGNALS:
            signal.disconnect(fail)
    assert len(calls) == 5
    with pytest.raises(SessionEnded):
        sessions.authenticate(pair.raw_access)
    assert caplog.text.count("the audit server is down") >= 5


def test_djangos_own_signals_are_sent_with_the_request(user: Any) -> None:
    with heard(user_logged_in, user_login_failed) as calls:
        for password in ("wrong", PASSWORD):
            APIClient().post("/api/token/", {"username": "ada", "password": password})
    assert [call["signal"] for call in calls] == [user_login_failed, user_logged_in]
    assert {call["request"].path for call in calls} == {"/api/token/"}
    assert PASSWORD not in str(calls)
    user.refresh_from_db()
    assert user.last_login is not None


def test_a_sign_in_is_logged_without_the_name_that_was_typed(
    user: Any, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.TOKENS_LOGIN_THROTTLE = "1/day"
    for _ in range(2):
        APIClient().post("/api/token/", {"username": "my secret", "password": "ada"})
    lines = logged(caplog)
    assert lines["sign_in_failed"]["address"] == "127.0.0.1"
    assert lines["sign_in_failed"]["account"] == lines["sign_in_not_admitted"]["account"]
    assert "my secret" not in caplog.text
    # Code signs in without a request and with credentials of another kind, too.
    user_login_failed.send("a test", credentials={"code": "x"}, request=None)
    user_logged_in.send(type(user), request=None, user=user)
    assert lines["sign_in_failed"].keys() == {"account", "address"}
    assert logged(caplog)["sign_in_failed"] == {}
    assert logged(caplog)["signed_in"] == {"user": str(user.pk)}


@pytest.mark.parametrize("kind", [DeniedToken.Kind.SESSION, DeniedToken.Kind.KEY])
def test_denials_that_another_event_tells_of_are_not_told_twice(
    kind: DeniedToken.Kind, db: None
) -> None:
    with heard(signals.token_denied) as calls:
        denylist.deny([("x", None)], kind=kind, reason="r", until=timezone.now())
    assert calls == []


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("plain-1.2:3@x/y+z,", "plain-1.2:3@x/y+z,"),
        ("two words", "'two words'"),
        ("a\nERROR forged", r"'a\nERROR forged'"),
        ("a' sid=1", '"a\' sid=1"'),
        ("\u2028\x1b[31m", r"'\u2028\x1b[31m'"),
        ("a=b", "'a=b'"),
    ],
)
def test_a_value_can_neither_end_the_line_nor_pass_for_a_field(
    caplog: pytest.LogCaptureFixture, value: str, quoted: str
) -> None:
    signals.log("an_event", detail=value, nothing=None, empty="")
    assert caplog.messages == [f"an_event detail={quoted}"]
    assert logged(caplog)["an_event"] == {"detail": value}


def test_every_signal_is_named_as_it_is_imported() -> None:
    assert {getattr(signals, name): name for name in signals.SIGNALS.values()} == signals.SIGNALS

"""What a process logs, once, where the setting does not match the proxies in front."""

from typing import Any

import pytest
from rest_framework.test import APIClient, APIRequestFactory

from tokens import client
from tokens.client import MAX_ENTRY_LENGTH, PROXY_HEADERS, ip_address_in

pytestmark = pytest.mark.django_db


def ask(*, report: bool = True, **meta: Any) -> str | None:
    return ip_address_in(APIRequestFactory().get("/", **meta).META, report=report)


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, str]]]:
    return [
        (record.event, record.fields)  # type: ignore[attr-defined]
        for record in caplog.records
        if record.name == "tokens"
    ]


@pytest.mark.parametrize("header", PROXY_HEADERS.values())
def test_a_proxy_that_nothing_is_set_up_for_is_reported_once(
    caplog: pytest.LogCaptureFixture, header: str
) -> None:
    sent: dict[str, Any] = {"HTTP_" + header.upper().replace("-", "_"): "203.0.113.7"}
    for _ in range(3):
        assert ask(REMOTE_ADDR="10.0.0.9", **sent) == "10.0.0.9"
    [(event, fields)] = lines(caplog)
    assert event == "proxy_header_ignored"
    assert (fields["header"], fields["address"]) == (header, "10.0.0.9")
    assert "the client itself sent the header" in fields["detail"]
    assert "203.0.113.7" not in caplog.text
    client.forget()
    ask(REMOTE_ADDR="10.0.0.9", **sent)
    assert len(lines(caplog)) == 2


def test_a_sign_in_through_such_a_proxy_reports_it(
    caplog: pytest.LogCaptureFixture, user: Any
) -> None:
    APIClient(HTTP_X_FORWARDED_FOR="203.0.113.7").post("/api/token/", {"username": "ada"})
    assert "proxy_header_ignored" not in caplog.text  # The address was not needed.
    body = {"username": "ada", "password": "wrong"}
    APIClient(HTTP_X_FORWARDED_FOR="203.0.113.7").post("/api/token/", body)
    assert caplog.text.count("proxy_header_ignored") == 1


def test_a_request_without_a_sign_of_a_proxy_reports_nothing(
    caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    ask(REMOTE_ADDR="203.0.113.7")
    settings.TOKENS_TRUSTED_PROXIES = 1
    ask(HTTP_X_FORWARDED_FOR="203.0.113.7", HTTP_VIA="1.1 proxy", HTTP_FORWARDED="for=x")
    assert lines(caplog) == []


def test_an_unreadable_entry_is_reported_once_and_shortened(
    caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.TOKENS_TRUSTED_PROXIES = 1
    for _ in range(3):
        ask(HTTP_X_FORWARDED_FOR="6.6.6.6, " + "x" * 8000)
    [(event, fields)] = lines(caplog)
    assert event == "client_address_unknown"
    assert fields["header"] == "X-Forwarded-For"
    assert fields["entry"] == "x" * MAX_ENTRY_LENGTH


def test_a_missing_header_and_a_unix_socket_are_reported(
    caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    ask(REMOTE_ADDR="")
    client.forget()
    settings.TOKENS_TRUSTED_PROXIES = 1
    ask(REMOTE_ADDR="10.0.0.9")
    (_, socket), (_, header) = lines(caplog)
    assert "Unix socket" in socket["detail"]
    assert "is missing" in header["detail"]


def test_the_access_log_reports_nothing(caplog: pytest.LogCaptureFixture, settings: Any) -> None:
    ask(report=False, HTTP_X_FORWARDED_FOR="203.0.113.7")
    settings.TOKENS_TRUSTED_PROXIES = 1
    ask(report=False, HTTP_X_FORWARDED_FOR="unknown")
    assert lines(caplog) == []

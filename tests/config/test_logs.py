"""One record is one line, in text and in JSON, and no value in it can start another line."""

import json
import logging
import sys
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from config import gunicorn_conf
from config.logs import JSONFormatter, RequestIdFilter, TextFormatter
from config.request_id import RequestIdMiddleware, current_request_id
from tokens import signals

FORGERY = "a\nb\r\x1b[31m\u2028\u202e\x85 c"


def record(message: str, *args: Any, error: Any = None) -> logging.LogRecord:
    return logging.LogRecord("tokens", logging.INFO, "f", 1, message, args, error)


def fail() -> None:
    raise ValueError(FORGERY)


def failure() -> Any:
    try:
        fail()
    except ValueError:
        return sys.exc_info()


def test_a_json_line_is_one_object() -> None:
    line = JSONFormatter().format(record("%s", FORGERY, error=failure()))
    assert line.isprintable()
    members = json.loads(line)
    assert members["message"] == FORGERY
    assert "ValueError: a\nb" in members["exception"]
    assert (members["level"], members["logger"]) == ("INFO", "tokens")


def test_a_text_line_is_one_line_and_a_traceback_is_barred() -> None:
    line = TextFormatter().format(record("%s", FORGERY))
    assert line.isprintable()
    assert line.endswith(r"INFO tokens - a\nb\r\x1b[31m\u2028\u202e\x85 c")
    traced = record("m", error=failure())
    logging.Formatter().format(traced)
    traced.stack_info = f"Stack\n{FORGERY}"
    first, *rest = TextFormatter().format(traced).split("\n")
    assert first.endswith("INFO tokens - m")
    assert all(line.startswith("| ") and line.isprintable() for line in rest)
    assert "| ValueError: a" in rest


def test_an_events_fields_are_members_that_replace_none_of_the_lines_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "tokens")
    signals.log("an_event", sid="1", level=logging.INFO, time="never", message="forged")
    (one,) = caplog.records
    members = json.loads(JSONFormatter().format(one))
    assert (members["message"], members["sid"]) == ("an_event", "1")
    assert members["time"].startswith("20")
    assert TextFormatter().format(one).endswith("an_event sid=1 time=never message=forged")


@pytest.mark.parametrize(
    ("brought", "taken"),
    [
        ("0123456789abcdef", True),
        ("c0ffee00-0000-4000-8000-000000000000", True),
        ("", False),
        ("short", False),
        ("x" * 65, False),
        ("a b c d e f", False),
        ("line\nbreak-and-more", False),
        ("\u00fcmlaut-and-more", False),
        ("eyJhbGciOiJIUzI1NiJ9." * 5, False),
    ],
)
def test_a_request_id_is_taken_when_it_is_sane_and_made_otherwise(
    client: Client, settings: Any, brought: str, taken: bool
) -> None:
    settings.TOKENS_TRUSTED_PROXIES = 1
    answers = [client.get("/healthz", HTTP_X_REQUEST_ID=brought) for _ in range(2)]
    ids = [answer["X-Request-ID"] for answer in answers]
    if taken:
        assert ids == [brought] * 2
    else:
        assert brought not in ids
        assert all(len(id) == 32 for id in set(ids))
        assert len(set(ids)) == 2


def test_a_request_id_of_a_client_is_not_taken(client: Client) -> None:
    """Without a proxy in front, a client could give its requests the id of somebody else's."""
    answer = client.get("/healthz", HTTP_X_REQUEST_ID="0123456789abcdef")
    assert answer["X-Request-ID"] != "0123456789abcdef"


def test_the_id_is_in_every_line_of_its_request_and_in_none_after_it(
    client: Client, settings: Any
) -> None:
    settings.TOKENS_TRUSTED_PROXIES = 1

    def view(request: HttpRequest) -> HttpResponse:
        lines.append(line())
        return HttpResponse()

    def line() -> str:
        one = record("m")
        assert RequestIdFilter().filter(one)
        assert json.loads(JSONFormatter().format(one)).get("request_id") == current_request_id()
        return TextFormatter().format(one)

    lines: list[str] = []
    request = RequestFactory().get("/", HTTP_X_REQUEST_ID="c0ffee00")
    RequestIdMiddleware(view)(request)
    # Django logs a refusal after the middleware has returned.
    lines.append(line())
    assert [text.split()[-2] for text in lines] == ["c0ffee00"] * 2
    client.get("/healthz")
    assert line().split()[-2] == "-"


def test_the_settings_use_them() -> None:
    configured: dict[str, Any] = settings.LOGGING
    formatters = configured["formatters"]
    assert formatters["text"]["()"] == "config.logs.TextFormatter"
    assert formatters["json"]["()"] == "config.logs.JSONFormatter"
    assert configured["handlers"]["stderr"]["filters"] == ["request_id"]
    assert settings.MIDDLEWARE[0] == "config.request_id.RequestIdMiddleware"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_access_log_has_the_id_and_neither_query_nor_a_forged_line(
    monkeypatch: pytest.MonkeyPatch, log_format: str
) -> None:
    monkeypatch.setattr(gunicorn_conf, "_format", log_format)
    environ = RequestFactory().get("/api/%0AFORGED/?token=secret").environ
    line = gunicorn_conf.access_line(
        environ, status=200, sent=2, seconds=0.001, request_id="c0ffee00"
    )
    assert line.isprintable()
    assert "c0ffee00" in line
    assert "secret" not in line

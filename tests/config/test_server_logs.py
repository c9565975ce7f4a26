"""What the servers and Django log by themselves holds no query and nothing that was refused."""

import logging
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from gunicorn.config import Config
from gunicorn.http import errors
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from config import gunicorn_conf
from config.logs import CSRFFilter, HostFilter, NoQueryFilter, ProtocolErrorFilter
from tokens.api import cookies
from tokens.api.quoting import csrf_reason

SECRET = "s3cr3t"


class LocalProtocolError(Exception):
    """Named as the exceptions of uvicorn's parser."""


def logged(filter: logging.Filter, message: str, *args: Any, error: Any = None) -> str:
    """Return what is left of a record behind the filter."""
    info = (type(error), error, None) if error else None
    record = logging.LogRecord("x", logging.INFO, "x", 1, message, args, info)
    assert filter.filter(record)
    return logging.Formatter().format(record)


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("::1", "GET", f"/api/me/?token={SECRET}", "1.1", 200), "::1 GET /api/me/ 1.1 200"),
        ((f"GET /?{SECRET} HTTP/1.1", "200"), "GET / HTTP/1.1 200"),
        ((f"GET /?{SECRET}?%0a HTTP/1.1", 200), "GET / HTTP/1.1 200"),
    ],
)
def test_access_logs_lose_the_query(args: tuple[Any, ...], line: str) -> None:
    assert logged(NoQueryFilter(), " ".join(["%s"] * len(args)), *args) == line


def test_a_record_without_arguments_stays() -> None:
    for each in (NoQueryFilter(), CSRFFilter(), ProtocolErrorFilter()):
        assert logged(each, "a?b") == "a?b"


@pytest.mark.parametrize(
    ("quoted", "kept"),
    [
        ("https://app.example:8443", "https://app.example:8443"),
        ("https://[::1]:80/a/b?c", "https://[::1]:80"),
        ("null", "null"),
        (f"https://app.example/reset/{SECRET}/", "https://app.example"),
        (f"https://app.example?{SECRET}", "https://app.example"),
        (f"https://app.example {SECRET}", "its value"),
        (f"https://[{SECRET}", "its value"),
        (SECRET, "its value"),
        ("", "its value"),
    ],
)
@pytest.mark.parametrize("checked", ["Origin", "Referer"])
def test_of_an_address_only_the_origin_is_logged(checked: str, quoted: str, kept: str) -> None:
    told = "%s checking failed - %s does not match any trusted origins."
    assert csrf_reason(told % (checked, quoted)) == told % (checked, kept)


@pytest.mark.parametrize(
    "reason",
    ["CSRF cookie not set.", "Referer checking failed - no Referer.", "CSRF token missing."],
)
def test_a_reason_without_an_address_is_logged_as_it_is(reason: str) -> None:
    assert csrf_reason(reason) == reason


def test_django_and_the_app_log_the_origin_of_a_referer(
    rf: Any, caplog: pytest.LogCaptureFixture
) -> None:
    header = {"HTTP_REFERER": f"https://evil.example/?{SECRET}"}
    request = rf.post("/", secure=True, **header)
    with pytest.raises(PermissionDenied):
        cookies.require_csrf(Request(request))
    assert "https://evil.example does not match" in caplog.text
    assert SECRET not in caplog.text
    line = logged(
        CSRFFilter(),
        "Forbidden (%s): %s",
        f"Referer checking failed - {header['HTTP_REFERER']} does not match any trusted origins.",
        "/",
    )
    assert line.startswith(
        "Forbidden (Referer checking failed - https://evil.example does not match"
    )
    assert SECRET not in line


@pytest.mark.parametrize(
    ("host", "kept"),
    [("'evil.example:80'", True), ("'[::1]'", True), (f"'a {SECRET}'", False), ('"a\'b"', False)],
)
def test_a_host_is_logged_if_it_is_one(host: str, kept: bool) -> None:
    message = f"Invalid HTTP_HOST header: {host}. You may need to add it to ALLOWED_HOSTS."
    line = logged(HostFilter(), message, error=ValueError(message))
    assert line == (message if kept else "Invalid HTTP_HOST header.")


def test_the_parsers_error_is_logged_without_what_was_sent() -> None:
    error = LocalProtocolError(f"illegal chunk header: {SECRET}")
    assert logged(ProtocolErrorFilter(), "Fatal error", error=error) == "Fatal error"
    assert "ValueError" in logged(ProtocolErrorFilter(), "Fatal error", error=ValueError())


def test_the_settings_use_the_filters(client: Client) -> None:
    loggers: dict[str, Any] = settings.LOGGING["loggers"]
    used = {name: logger["filters"] for name, logger in loggers.items() if "filters" in logger}
    assert used == {
        "asyncio": ["protocol_error"],
        "django.security.DisallowedHost": ["host"],
        "django.security.csrf": ["csrf"],
        "django.server": ["no_query"],
        "uvicorn.access": ["no_query"],
        "uvicorn.error": ["no_query"],
    }


def test_gunicorn_logs_neither_a_query_nor_what_it_refuses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = gunicorn_conf.AccessLog(Config())
    log.error_log.propagate = True
    try:
        int("x")
    except ValueError:
        log.exception("Error handling request %s %s", "GET", f"/api/?{SECRET}")
    for refused in (
        errors.InvalidHeader(SECRET),
        errors.InvalidRequestLine(SECRET),
        errors.LimitRequestLine(1, 2),
    ):
        log.warning(f"Invalid request: {refused}")
    assert "Error handling request GET /api/" in caplog.text
    assert "Invalid request: InvalidHeader" in caplog.text
    assert SECRET not in caplog.text

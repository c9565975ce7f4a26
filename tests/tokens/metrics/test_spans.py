"""Each verb is one span, which holds neither a token nor a word about the user."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import DatabaseError
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, get_current_span
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tokens import sessions, watching
from tokens.metrics import spans

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Trace as a project does that has set up OpenTelemetry."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(spans, "_tracer", provider.get_tracer("latchkey"))
    monkeypatch.setattr(watching, "_watchers", {})
    spans.begin()
    return exporter


def attributes(found: Sequence[ReadableSpan]) -> list[tuple[str, dict[str, Any]]]:
    return [(span.name, dict(span.attributes or {})) for span in found]


def test_signing_in_calling_and_refreshing_are_spans(
    api: APIClient, user: Any, exporter: InMemorySpanExporter
) -> None:
    pair = api.post("/api/token/", {"username": "ada", "password": PASSWORD}).json()
    api.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    for _ in range(2):
        api.post("/api/token/refresh/", {"refresh": pair["refresh"]})
    found = exporter.get_finished_spans()
    assert attributes(found) == [
        ("latchkey.check_password", {"latchkey.outcome": "ok"}),
        ("latchkey.sign_in", {"latchkey.outcome": "ok"}),
        ("latchkey.authenticate", {"latchkey.outcome": "ok"}),
        ("latchkey.refresh", {"latchkey.outcome": "rotated"}),
        ("latchkey.refresh", {"latchkey.outcome": "repeated"}),
    ]
    assert {span.kind for span in found} == {SpanKind.INTERNAL}
    inner, outer = found[:2]
    assert inner.parent
    assert outer.context
    assert inner.parent.span_id == outer.context.span_id
    assert not get_current_span().is_recording()


def test_a_refusal_is_no_error_and_says_why(
    api: APIClient, user: Any, settings: Any, exporter: InMemorySpanExporter
) -> None:
    pair = sessions.start(user)
    api.post("/api/token/", {"username": "ada", "password": "wrong"})
    api.get("/api/me/", HTTP_AUTHORIZATION="Bearer junk")
    settings.TOKENS_REFRESH_THROTTLE = "1/day"
    for _ in range(2):
        api.post("/api/token/refresh/", {"refresh": pair.raw_refresh})
    settings.TOKENS_LOGIN_THROTTLE = "1/day"
    for _ in range(2):
        api.post("/api/token/", {"username": "bob", "password": "wrong"})
    found = exporter.get_finished_spans()
    assert attributes(found) == [
        ("latchkey.check_password", {"latchkey.outcome": "wrong"}),
        ("latchkey.sign_in", {"latchkey.outcome": "wrong"}),
        ("latchkey.authenticate", {"latchkey.outcome": "refused", "latchkey.reason": "Malformed"}),
        ("latchkey.refresh", {"latchkey.outcome": "rotated"}),
        ("latchkey.refresh", {"latchkey.outcome": "refused", "latchkey.reason": "Throttled"}),
        ("latchkey.check_password", {"latchkey.outcome": "wrong"}),
        ("latchkey.sign_in", {"latchkey.outcome": "wrong"}),
        *(
            (name, {"latchkey.outcome": "refused", "latchkey.reason": "TooManyAttempts"})
            for name in ("latchkey.check_password", "latchkey.sign_in")
        ),
    ]
    assert {span.status.status_code for span in found} == {StatusCode.UNSET}


def test_a_failure_of_the_server_is_an_error_without_its_message(
    user: Any, exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = sessions.start(user).raw_access

    def fail(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError(f"the query had {raw}")

    monkeypatch.setattr("tokens.sessions.query.find", fail)
    with pytest.raises(DatabaseError):
        sessions.authenticate(raw)
    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert dict(span.attributes or {}) == {
        "latchkey.outcome": "failed",
        "error.type": "django.db.utils.DatabaseError",
    }
    assert not span.events
    assert raw not in span.to_json()
    assert not span.status.description


def test_no_span_holds_a_token_or_names_the_user(
    api: APIClient, user: Any, exporter: InMemorySpanExporter
) -> None:
    body = {"username": "ada", "password": PASSWORD}
    pair = api.post("/api/token/", body, REMOTE_ADDR="198.51.100.7").json()
    api.get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    api.post("/api/token/refresh/", {"refresh": pair["refresh"]})
    api.post("/api/token/refresh/", {"refresh": pair["refresh"] + "x"})
    text = "".join(span.to_json() for span in exporter.get_finished_spans())
    text = re.sub("0x[0-9a-f]+", "", text)  # A random id of a span may have "ada" in it.
    sid = str(sessions.authenticate(pair["access"]).claims.sid)
    tokens = pair["access"], pair["refresh"]
    for word in (*tokens, "ada", PASSWORD, "198.51.100.7", str(user.pk), sid):
        assert word not in text


def test_without_a_provider_nothing_is_recorded(
    user: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(watching, "_watchers", {})
    spans.begin()
    pair = sessions.start(user)
    assert sessions.authenticate(pair.raw_access).user == user
    assert "failed" not in caplog.text

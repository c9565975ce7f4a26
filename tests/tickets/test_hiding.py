"""No log and no report of an error holds a ticket, and no value of a project's own is taken away."""

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.processes import PATIENCE, RunningSite, site_under
from tokens.tickets import hiding

RAW = f"lktk_{'x' * 43}"


@pytest.mark.parametrize(
    ("query", "rest"),
    [
        (f"ticket={RAW}", ""),
        (f"a=1&ticket={RAW}&b=%20", "a=1&b=%20"),
        (f"ticket={RAW}&ticket=42", "ticket=42"),
        (f"ticket={RAW}&ticket={RAW}", ""),
    ],
)
def test_a_ticket_leaves_the_query(query: str, rest: str) -> None:
    environ: dict[str, Any] = {"QUERY_STRING": query, "RAW_URI": f"/a/?{query}"}
    scope: dict[str, Any] = {"query_string": query.encode()}
    of_test_client: dict[str, Any] = {"query_string": query}
    hiding.hide(environ=environ)
    for one in (scope, of_test_client):
        hiding.hide(scope=one)
    assert of_test_client["query_string"] == rest.encode()
    assert environ["QUERY_STRING"] == rest
    assert environ["RAW_URI"] == (f"/a/?{rest}" if rest else "/a/")
    assert scope["query_string"] == rest.encode()
    assert RAW not in repr([environ, scope])


@pytest.mark.parametrize("query", ["", "a=1", "ticket=42", f"aticket={RAW}", "ticket=a&ticket=b"])
def test_every_other_query_stays_as_it_is(query: str) -> None:
    environ: dict[str, Any] = {"QUERY_STRING": query}
    scope: dict[str, Any] = {"query_string": query.encode()}
    hiding.hide(environ=environ)
    hiding.hide(scope=scope)
    assert environ == {"QUERY_STRING": query}
    assert scope == {"query_string": query.encode()}


def test_a_signal_without_a_request_changes_nothing() -> None:
    hiding.hide()


def test_a_ticket_leaves_an_event_of_sentry() -> None:
    event = {"request": {"query_string": f"ticket={RAW}"}, "spans": [(RAW, 1, None)]}
    assert hiding.clean_event(event) == {
        "request": {"query_string": "ticket=[ticket]"},
        "spans": [("[ticket]", 1, None)],
    }


def test_a_project_needs_no_sentry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sentry_sdk", raising=False)
    environ: dict[str, Any] = {"QUERY_STRING": f"ticket={RAW}"}
    hiding.hide(environ=environ)
    assert environ["QUERY_STRING"] == ""


def test_a_project_with_sentry_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    import sentry_sdk

    added: list[Any] = []
    scope = SimpleNamespace(add_event_processor=added.append)
    monkeypatch.setattr(sentry_sdk, "get_isolation_scope", lambda: scope)
    hiding.hide(environ={"QUERY_STRING": "ticket=42"})
    assert added == []
    hiding.hide(environ={"QUERY_STRING": f"ticket={RAW}"})
    assert added == [hiding.clean_event]


@pytest.fixture(params=["gunicorn", "uvicorn"])
def served(
    request: pytest.FixtureRequest, transactional_db: None, tokens_process: None, tmp_path: Path
) -> Iterator[tuple[RunningSite, Path]]:
    from tokens import keyring

    keyring.ensure()
    log = tmp_path / "log"
    changes = {"WEB_CONCURRENCY": "1", "DJANGO_SETTINGS_MODULE": "tests.tickets.reporting"}
    with site_under(request.param, changes, log=log) as site:
        yield site, log


@pytest.mark.slow
def test_a_view_that_fails_reports_no_ticket(served: tuple[RunningSite, Path], user: Any) -> None:
    from tokens import sessions

    site, log = served
    headers = {"Authorization": f"Bearer {sessions.start(user).raw_access}"}
    canary = secrets.token_hex(8)
    with httpx.Client(base_url=site.base, timeout=PATIENCE) as client:
        body = {"path": "/report/"}
        raw = client.post("/api/token/ticket/", json=body, headers=headers).json()["ticket"]
        page = client.get(f"/report/?fail={canary}&ticket={raw}", headers={"Accept": "text/html"})
        refused = client.get(f"/report/?ticket={raw}", headers={"Accept": "text/html"})
        unknown = client.get(f"/nowhere/?ticket={raw}")
    assert (page.status_code, refused.status_code, unknown.status_code) == (500, 401, 404)
    printed = log.read_text()
    # There is something to search: each report has the rest of the query.
    assert canary in page.text
    assert f'"query_string":"fail={canary}' in printed.replace(" ", "")
    assert urlsplit(str(page.url)).path in printed
    for text in (page.text, refused.text, unknown.text, printed):
        assert raw not in text
        assert raw.removeprefix("lktk_") not in text

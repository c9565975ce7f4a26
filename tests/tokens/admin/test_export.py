"""A list is exported as CSV: all pages of it, row by row, and nothing in it is a formula."""

import csv
import io
import logging
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.tokens.admin.conftest import SESSIONS
from tests.tokens.database.test_places import Schemas
from tokens import denylist, sessions
from tokens.admin import export
from tokens.database import places
from tokens.models import DeniedToken, EndReason, Session

EXPORT = SESSIONS + "export/"

tenant = ContextVar("tenant", default="none")


def read(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_an_export_has_every_page_of_the_list_in_its_order(
    supporter: Client, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BATCH", 3)
    now = timezone.now()
    # Several begin at the same instant, within a batch and across two.
    keys = [
        sessions.start(user, now=now - timedelta(minutes=at // 4)).session.pk for at in range(60)
    ]
    rows = read(supporter.get(EXPORT))
    assert len(rows) == 60 > supporter.get(SESSIONS).context["cl"].list_per_page
    assert {row["sid"] for row in rows} == {str(key) for key in keys}
    signed_in = [row["signed_in"] for row in rows]
    assert signed_in == sorted(signed_in, reverse=True)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 6])
def test_an_export_ends_where_the_list_does(
    supporter: Client, user: Any, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(export, "BATCH", 3)
    for _ in range(number):
        sessions.start(user)
    assert len(read(supporter.get(EXPORT))) == number


def test_an_export_is_filtered_and_searched_as_the_list_is(
    supporter: Client, user: Any, grace: Any
) -> None:
    live, ended, other = (sessions.start(who).session for who in (user, user, grace))
    sessions.end([ended], reason=EndReason.LOGOUT)
    assert [row["sid"] for row in read(supporter.get(f"{EXPORT}?state=ended"))] == [str(ended.pk)]
    found = read(supporter.get(f"{EXPORT}?q=ada&state=live"))
    assert [row["sid"] for row in found] == [str(live.pk)]
    assert [row["sid"] for row in read(supporter.get(f"{EXPORT}?q=gra"))] == [str(other.pk)]
    page = supporter.get(f"{SESSIONS}?q=ada&state=live").content.decode()
    assert 'href="export/?q=ada&amp;state=live">Export as CSV' in page


def test_an_export_says_what_the_list_says(supporter: Client, user: Any) -> None:
    began = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    client = sessions.Client("192.0.2.1", "curl/8.16.0")
    pair = sessions.start(user, client=client, now=began)
    sessions.end([pair.session], reason=EndReason.REVOKED, now=began)
    (row,) = read(supporter.get(EXPORT))
    assert row == {
        "user": "ada",
        "state": "ended",
        "end_reason": "revoked",
        "ended_at": "2026-05-04T03:02:01+00:00",
        "device": "curl",
        "ip_address": "192.0.2.1",
        "signed_in": "2026-05-04T03:02:01+00:00",
        "last_active": "2026-05-04T03:02:01+00:00",
        "ends_if_unused": "2026-05-18T03:02:01+00:00",
        "ends_at_the_latest": "2026-08-02T03:02:01+00:00",
        "kind": "pair",
        "sid": str(pair.session.pk),
        "user_agent": "curl/8.16.0",
    }


def test_the_denylist_and_the_keys_are_exported_too(
    admin_client: Client, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BATCH", 2)
    now = timezone.now()
    for at in range(5):
        denylist.deny(
            [(f"{at:032x}.0a", user.pk)],
            kind=DeniedToken.Kind.TOKEN,
            reason="lost",
            until=now,
            by=user,
        )
    rows = read(admin_client.get("/admin/tokens/deniedtoken/export/"))
    assert [row["value"][31] for row in rows] == ["4", "3", "2", "1", "0"]
    assert (rows[0]["user"], rows[0]["denied_by"], rows[0]["reason"]) == ("ada", "ada", "lost")
    keys = read(admin_client.get("/admin/tokens/signingkey/export/"))
    assert sorted(row["state"] for row in keys) == ["next", "signing"]
    assert "sealed" not in keys[0]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t1",
        "\r1",
        "\n1",
        " =1",
        "\uff1d1",
        "\uff0b1",
        "\uff20x",
    ],
)
def test_no_cell_is_a_formula(supporter: Client, user: Any, text: str) -> None:
    sessions.start(user, client=sessions.Client("192.0.2.1", text))
    Session.objects.update(user_agent=text)
    (row,) = read(supporter.get(EXPORT))
    assert row["user_agent"] == f"'{text}"


@pytest.mark.parametrize("text", ['x",=1+1,"', "x\n1", "a,b; c", 'say "hi"'])
def test_no_text_ends_its_cell(supporter: Client, user: Any, text: str) -> None:
    sessions.start(user)
    Session.objects.update(user_agent=text)
    (row,) = read(supporter.get(EXPORT))
    assert row["user_agent"] == text


def test_plain_text_is_exported_as_it_is() -> None:
    assert [export.safe_cell(value) for value in (None, "", "a-b", 0, "192.0.2.1")] == [
        "",
        "",
        "a-b",
        "0",
        "192.0.2.1",
    ]


@pytest.mark.parametrize("between", [";", "; ", "\t", "\n", "\r\n", ';"', ';""'])
@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(1)", "\uff1d1"])
def test_no_cell_is_a_formula_where_another_character_separates_them(
    supporter: Client, user: Any, between: str, formula: str
) -> None:
    """A spreadsheet in German or French takes a semicolon, and our quotes do not protect from it."""
    sessions.start(user)
    Session.objects.update(user_agent=f"Browser{between}{formula};x")
    answer: Any = supporter.get(EXPORT)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    for delimiter in (",", ";", "\t"):
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            assert not any(cell.lstrip(' "').startswith(export.FORMULA) for cell in row)


def test_a_batch_is_read_when_the_client_has_taken_the_one_before(
    supporter: Client, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BATCH", 5)
    for _ in range(20):
        sessions.start(user)
    answer: Any = supporter.get(EXPORT)
    parts = iter(answer.streaming_content)
    with CaptureQueriesContext(connection) as captured:
        next(parts)  # the names of the columns
        assert not captured.captured_queries
        assert next(parts).count(b"\r\n") == 5
        assert len(captured.captured_queries) == 2  # sessions, and their users
        next(parts)
        assert len(captured.captured_queries) == 4
    assert all("OFFSET" not in query["sql"] for query in captured.captured_queries)


def test_an_asgi_server_gets_each_batch_by_itself(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "BATCH", 2)
    for _ in range(5):
        sessions.start(user)
    scope = {"type": "http", "method": "GET", "path": EXPORT, "headers": [], "query_string": b""}
    columns = [("sid", lambda row: row.pk)]
    rows = Session.objects.order_by("-started_at")
    answer = export.csv_answer(ASGIRequest(scope, io.BytesIO()), rows, columns, name="session")
    assert answer.is_async

    async def collect() -> list[Any]:
        return [part async for part in answer]

    assert [part.count(b"\r\n") for part in async_to_sync(collect)()] == [1, 2, 2, 1]
    plain = export.csv_answer(RequestFactory().get(EXPORT), rows, columns, name="session")
    assert not plain.is_async


def test_the_file_has_a_name_and_is_not_stored(supporter: Client) -> None:
    answer = supporter.get(EXPORT)
    assert answer["Content-Disposition"] == 'attachment; filename="session.csv"'
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]


def test_an_export_is_logged_with_the_member_of_staff(
    supporter: Client, grace: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="tokens"):
        supporter.get(f"{EXPORT}?q=ada")
    assert f"list_exported list=session by={grace.pk}" in caplog.messages


def test_who_may_not_see_a_list_may_not_export_it(staff: Client, permit: Any) -> None:
    permit("tokens.view_deniedtoken")
    assert staff.get(EXPORT).status_code == 403
    assert staff.get("/admin/tokens/signingkey/export/").status_code == 403
    assert staff.get("/admin/tokens/deniedtoken/export/").status_code == 200


def test_an_address_that_no_list_has_leads_to_the_list(supporter: Client) -> None:
    assert supporter.get(f"{EXPORT}?user_agent__contains=x").status_code == 400
    assert supporter.get(f"{EXPORT}?p=0")["Location"] == SESSIONS


def test_a_token_in_the_address_is_not_looked_for(supporter: Client, user: Any) -> None:
    answer = supporter.get(f"{EXPORT}?q={sessions.start(user).raw_access}", follow=True)
    assert "The address contained a token" in answer.content.decode()


def test_an_export_reads_its_own_tenant_to_the_end(
    supporter: Client, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are read when the middleware that chose the tenant has returned."""
    sessions.start(user)
    monkeypatch.setattr(places, "_plain", {})
    monkeypatch.setattr(places, "_known", {})
    schemas = Schemas(monkeypatch)
    schemas.set_schema("one")
    before = tenant.set("one")
    answer = supporter.get(EXPORT)
    tenant.reset(before)
    schemas.set_schema("two")
    asked: list[tuple[str, str]] = []
    wrapper: Any = connection

    def note(execute: Any, *args: Any) -> Any:
        asked.append((wrapper.schema_name, tenant.get()))
        return execute(*args)

    with connection.execute_wrapper(note):
        assert len(read(answer)) == 1
    assert set(asked) == {("one", "one")}
    assert (wrapper.schema_name, tenant.get()) == ("two", "none")

"""The forms of "My sessions", the password page and the sign-in form, without scripts."""

import dataclasses
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tests.wire.reading import FORMS, done_by, mine, page_of, send, start
from tokens import sessions
from tokens.api.session_cards import SessionCard
from tokens.models import EndReason, Session

NEW_PASSWORD = "another horse, another battery"
PAGES = Path(__file__).resolve().parents[2] / "docs" / "pages.md"


def is_signed_in(client: APIClient) -> bool:
    return bool(client.get("/api/me/").status_code == 200)


def test_a_device_is_ended_after_a_question(reader: APIClient, user: Any) -> None:
    phone = start(user)
    asked = send(reader, FORMS, do="end", sid=str(phone.pk))
    assert asked.status_code == 200
    assert asked["Cache-Control"] == "no-store"
    assert "End the session of Firefox on Linux?" in asked.content.decode()
    phone.refresh_from_db()
    assert phone.ended_at is None
    done = send(reader, FORMS, do="end", sid=str(phone.pk), confirmed="yes")
    assert (done.status_code, done_by(done)) == (302, "ended")
    phone.refresh_from_db()
    assert phone.end_reason == EndReason.REVOKED
    assert "The session has ended." in page_of(reader, done["Location"])
    again = send(reader, FORMS, do="end", sid=str(phone.pk), confirmed="yes")
    assert done_by(again) == "gone"


def test_ending_this_device_signs_it_out(reader: APIClient) -> None:
    asked = send(reader, FORMS, do="end", sid=str(mine().pk))
    assert "Sign out on this device?" in asked.content.decode()
    done = send(reader, FORMS, do="end", sid=str(mine().pk), confirmed="yes")
    assert done["Location"] == "/api/login/?signed-out"
    assert done.cookies["latchkey_refresh"]["max-age"] == 0
    assert mine().ended_at is not None


def test_all_other_devices_are_signed_out_after_a_question(reader: APIClient, user: Any) -> None:
    others = [start(user), start(user)]
    assert "Sign out all other devices?" in send(reader, FORMS, do="others").content.decode()
    assert Session.objects.filter(ended_at=None).count() == 3
    done = send(reader, FORMS, do="others", confirmed="yes")
    assert done_by(done) == "others"
    ended = Session.objects.filter(end_reason=EndReason.LOGOUT)
    assert {row.pk for row in ended} == {row.pk for row in others}
    assert is_signed_in(reader)


def test_no_link_from_elsewhere_makes_the_page_report_a_change(
    reader: APIClient, user: Any, django_user_model: Any
) -> None:
    said = "All your other devices are signed out."
    done = send(reader, FORMS, do="others", confirmed="yes")
    assert said in page_of(reader, done["Location"])
    assert said not in page_of(reader, "/api/sessions/?done=others")
    # Nor one that another user was led to.
    client = APIClient()
    raw_access = sessions.start(django_user_model.objects.create_user("grace")).raw_access
    client.credentials(HTTP_ACCEPT="text/html", HTTP_AUTHORIZATION=f"Bearer {raw_access}")
    page = page_of(client, done["Location"])
    assert "My sessions" in page
    assert said not in page


def test_everything_is_signed_out_after_a_question(reader: APIClient, user: Any) -> None:
    start(user)
    assert "on this device too?" in send(reader, FORMS, do="everywhere").content.decode()
    done = send(reader, FORMS, do="everywhere", confirmed="yes")
    assert done["Location"] == "/api/login/?signed-out"
    assert not Session.objects.filter(ended_at=None).exists()
    assert not is_signed_in(reader)


def test_a_device_gets_a_name_and_keeps_what_it_is(reader: APIClient, user: Any) -> None:
    phone = start(user)
    done = send(reader, FORMS, do="name", sid=str(phone.pk), name="<b>My phone</b>")
    assert done_by(done) == "named"
    page = page_of(reader)
    assert "&lt;b&gt;My phone&lt;/b&gt;" in page
    assert "<b>My" not in page
    # Whoever has a token can give names: what the device is stays beside the name.
    assert "Firefox on Linux · Network address 192.0.2.1" in page
    gone = send(reader, FORMS, do="name", sid=str(uuid4()), name="x")
    assert done_by(gone) == "gone"


@pytest.mark.parametrize("do", ["end", "name"])
def test_a_strangers_session_is_out_of_reach(
    reader: APIClient, do: str, django_user_model: Any
) -> None:
    bobs = start(django_user_model.objects.create_user("bob", "bob@example.org"))
    for sid in (str(bobs.pk), "not-a-uuid", ""):
        done = send(reader, FORMS, do=do, sid=sid, name="x", confirmed="yes")
        assert done_by(done) == "gone"
    bobs.refresh_from_db()
    assert (bobs.ended_at, bobs.device_name) == (None, "")


@pytest.mark.parametrize("do", ["", "nonsense"])
def test_a_form_that_asks_for_nothing_leads_back(reader: APIClient, do: str) -> None:
    assert send(reader, FORMS, do=do)["Location"] == "/api/sessions/"
    assert reader.get(FORMS)["Location"] == "/api/sessions/"


@pytest.mark.parametrize("do", ["end", "others", "everywhere", "name", "zone"])
def test_a_form_from_elsewhere_changes_nothing(reader: APIClient, user: Any, do: str) -> None:
    phone = start(user)
    body = {"do": do, "sid": str(phone.pk), "name": "x", "zone": "Asia/Tokyo", "confirmed": "yes"}
    answer = reader.post(FORMS, body, format="multipart")
    assert answer.status_code == 403
    assert "Please try again." in answer.content.decode()
    phone.refresh_from_db()
    assert (phone.ended_at, phone.device_name) == (None, "")
    assert "latchkey_timezone" not in answer.cookies


@pytest.mark.parametrize("access", ["expired", "missing"])
def test_a_form_works_after_the_access_token_has_expired(
    reader: APIClient, user: Any, access: str
) -> None:
    phone = start(user)
    if access == "missing":
        del reader.cookies["latchkey_access"]
    else:
        old = sessions.start(user, now=datetime.now(UTC) - timedelta(hours=1))
        reader.cookies["latchkey_access"] = old.raw_access
    asked = send(reader, FORMS, do="end", sid=str(phone.pk))
    assert "<b>ada</b>" in asked.content.decode()
    done = send(reader, FORMS, do="end", sid=str(phone.pk), confirmed="yes")
    assert done_by(done) == "ended"
    assert is_signed_in(reader)


@pytest.mark.parametrize("path", [FORMS, "/api/login/continue/"])
def test_without_a_good_token_a_form_leads_to_the_sign_in(reader: APIClient, path: str) -> None:
    del reader.cookies["latchkey_access"]
    sessions.end([mine()], reason=EndReason.REVOKED)
    refused = send(reader, path, do="everywhere", confirmed="yes")
    assert refused.status_code == 401
    assert refused.cookies["latchkey_refresh"]["max-age"] == 0
    assert "Password" in refused.content.decode()
    del reader.cookies["latchkey_refresh"]
    assert send(reader, path, do="others", confirmed="yes").status_code == 401


def test_who_was_away_goes_on_without_scripts(reader: APIClient) -> None:
    del reader.cookies["latchkey_access"]
    answer = reader.get("/api/sessions/?a=b")
    assert answer.status_code == 401
    page = answer.content.decode()
    assert 'action="/api/login/continue/"' in page
    assert 'name="next" value="/api/sessions/?a=b"' in page
    done = send(reader, "/api/login/continue/", next="/api/sessions/?a=b")
    assert (done.status_code, done["Location"]) == (302, "/api/sessions/?a=b")
    assert is_signed_in(reader)
    assert reader.get("/api/login/continue/").status_code == 405


def test_an_anonymous_reader_is_offered_the_sign_in_form_only(api: APIClient, db: None) -> None:
    page = api.get("/api/me/?a=b", HTTP_ACCEPT="text/html").content.decode()
    assert "/api/login/continue/" not in page
    assert 'name="next" value="/api/me/?a=b"' in page
    assert 'autocomplete="current-password"' in page


def test_the_account_links_to_the_sessions_and_the_password(reader: APIClient, user: Any) -> None:
    page = page_of(reader, "/api/me/")
    assert 'href="/api/sessions/"' in page
    assert 'href="/api/me/password/"' in page
    assert "ada@example.org" in page
    assert '<details class="developer">' in page


def test_the_password_page_opens_as_a_form_for_password_managers(reader: APIClient) -> None:
    answer = reader.get("/api/me/password/")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    assert 'autocomplete="new-password"' in page
    assert "All your other sessions end" in page
    # A program learns what it learned before.
    reader.credentials(HTTP_ACCEPT="application/json")
    refused = reader.get("/api/me/password/")
    assert (refused.status_code, refused["Allow"]) == (405, "POST, OPTIONS")


def test_the_password_is_changed_without_scripts(reader: APIClient, user: Any) -> None:
    wrong = send(reader, "/api/me/password/", current_password="wrong", new_password=NEW_PASSWORD)
    assert wrong.status_code == 400
    assert "Your current password was entered incorrectly." in wrong.content.decode()
    weak = send(reader, "/api/me/password/", current_password=PASSWORD, new_password="12345")
    assert "too short" in weak.content.decode()
    phone = start(user)
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    done = send(reader, "/api/me/password/", **body)
    assert done.status_code == 200
    page = done.content.decode()
    assert "Your password is changed." in page
    assert PASSWORD not in page
    assert NEW_PASSWORD not in page
    phone.refresh_from_db()
    assert phone.end_reason == EndReason.PASSWORD_CHANGED
    assert is_signed_in(reader)


def test_a_body_of_another_kind_is_an_answer(reader: APIClient) -> None:
    token = reader.cookies["csrftoken"].value
    answer = reader.post(FORMS, b"[1]", content_type="application/json", HTTP_X_CSRFTOKEN=token)
    assert answer.status_code in (302, 400)
    answer = reader.post(
        "/api/me/password/", b"[1]", content_type="application/json", HTTP_X_CSRFTOKEN=token
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/api/sessions/", "/api/me/", "/api/me/password/"])
def test_the_answer_to_options_is_shown_to_developers(reader: APIClient, path: str) -> None:
    token = reader.cookies["csrftoken"].value
    answer = reader.options(path, HTTP_X_CSRFTOKEN=token)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "HTTP 200 OK" in page
    assert '<details class="developer">' not in page


@pytest.mark.parametrize("name", ["sessions", "me", "password"])
def test_a_project_can_take_over_a_template(
    reader: APIClient, settings: Any, tmp_path: Path, name: str
) -> None:
    documented = re.findall(r"```html\n(.*?)```", PAGES.read_text(), re.DOTALL)
    theirs = documented[0].replace("<ul>", "<ul data-theirs>")
    (tmp_path / "tokens").mkdir()
    for taken in ("sessions", "me", "password"):
        (tmp_path / "tokens" / f"{taken}.html").write_text(theirs)
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [tmp_path, *engine["DIRS"]]}]
    address = {"sessions": "sessions/", "me": "me/", "password": "me/password/"}[name]
    page = page_of(reader, f"/api/{address}")
    assert "data-theirs" in page
    assert ('name="do" value="end"' in page) is (name == "sessions")
    assert "This device" not in page


def test_the_pages_documentation_names_all_of_the_context() -> None:
    text = PAGES.read_text()
    fields = {field.name for field in dataclasses.fields(SessionCard)}
    assert {name for name in fields if f"`{name}`" not in text} == set()


def test_a_form_needs_the_csrf_token_with_every_credential(user: Any) -> None:
    client = APIClient(enforce_csrf_checks=True)
    pair = sessions.start(user)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    body = {"do": "everywhere", "confirmed": "yes"}
    assert client.post(FORMS, body, format="multipart").status_code == 403
    sessions.authenticate(pair.raw_access)

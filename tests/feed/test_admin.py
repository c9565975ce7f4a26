"""Staff creates, lists and revokes the keys of the feed."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.signals import got_request_exception
from django.test import Client

from tests.leaks.reports import page
from tokens.feed import readers
from tokens.feed.models import FeedReader
from tokens.secret import hide

LIST = "/admin/tokens_feed/feedreader/"


def staff(*codenames: str) -> Client:
    user: Any = get_user_model().objects.create_user("eve", password="x", is_staff=True)
    permissions = Permission.objects.filter(codename__in=codenames)
    assert len(permissions) == len(codenames)
    user.user_permissions.set(permissions)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def client(db: None) -> Client:
    return staff("view_feedreader", "change_feedreaders")


def test_a_key_is_shown_once_and_admits(client: Client) -> None:
    assert client.get(f"{LIST}add/").status_code == 200
    answer = client.post(f"{LIST}add/", {"name": "The shop"})
    assert answer.status_code == 200
    [key] = re.findall(r'value="(latchkey_feed_[\w-]+)"', answer.content.decode())
    assert "no-cache" in answer["Cache-Control"]
    reader = FeedReader.objects.get()
    assert reader.digest == readers.digest_of(hide(key))
    assert str(reader) == "The shop"
    listed = client.get(LIST).content.decode()
    assert "The shop" in listed
    assert key not in listed + client.get(f"{LIST}add/").content.decode()
    assert LogEntry.objects.get().change_message == "Created."


def test_no_report_shows_a_key_whose_page_could_not_be_shown(client: Client, settings: Any) -> None:
    """As where a style sheet is missing in the manifest of static files."""
    reports: list[str] = []

    def receive(request: Any, **kwargs: Any) -> None:
        reports.append(page(request))

    storage = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    client.raise_request_exception = False
    got_request_exception.connect(receive)
    try:
        assert client.post(f"{LIST}add/", {"name": "The shop"}).status_code == 500
    finally:
        got_request_exception.disconnect(receive)
    [report] = reports
    assert "The shop" in report  # It shows the context of the template.
    assert "latchkey_feed_" not in report


def test_a_reader_needs_a_name(client: Client) -> None:
    answer = client.post(f"{LIST}add/", {"name": " "})
    assert b"This field is required." in answer.content
    assert not FeedReader.objects.exists()


def test_keys_are_revoked_after_a_confirmation(client: Client) -> None:
    readers.create("shop")
    readers.create("mill")
    pks = list(FeedReader.objects.values_list("pk", flat=True))
    chosen = {"action": "revoke", "_selected_action": pks}
    asked = client.post(LIST, chosen).content.decode()
    assert "shop" in asked
    assert "mill" in asked
    assert FeedReader.objects.filter(revoked_at=None).count() == 2
    told = client.post(LIST, {**chosen, "confirmed": "yes"}, follow=True).content.decode()
    assert "2 keys are refused from now on." in told
    assert not FeedReader.objects.filter(revoked_at=None).exists()
    assert [entry.change_message for entry in LogEntry.objects.all()] == ["Revoked."] * 2
    told = client.post(LIST, chosen, follow=True).content.decode()
    assert "All selected keys are revoked already." in told
    assert "revoked" in client.get(LIST).content.decode()


def test_who_may_only_view_can_neither_create_nor_revoke(db: None) -> None:
    client = staff("view_feedreader")
    readers.create("shop")
    pk = FeedReader.objects.get().pk
    assert client.get(LIST).status_code == 200
    assert client.get(f"{LIST}{pk}/change/").status_code == 200
    assert client.post(f"{LIST}add/", {"name": "mill"}).status_code == 403
    client.post(LIST, {"action": "revoke", "_selected_action": [pk], "confirmed": "yes"})
    assert FeedReader.objects.get().revoked_at is None


def test_who_has_no_permission_sees_no_list(db: None) -> None:
    assert staff().get(LIST).status_code == 403

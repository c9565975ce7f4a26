"""The admin speaks the language of its reader; what it stores stays in English."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from tests.tokens.admin.conftest import SESSIONS
from tokens import sessions

pytestmark = pytest.mark.django_db
GERMAN = {"accept-language": "de"}


@pytest.fixture
def session(user: Any, permit: Any) -> Any:
    permit("tokens.view_session", "tokens.revoke_session")
    return sessions.start(user).session


def test_a_german_reads_a_german_list_of_sessions(staff: Client, session: Any) -> None:
    page = staff.get(SESSIONS, headers=GERMAN).text
    for text in ("Sitzungen", "Gerät, Adresse", "Zustand", "aktiv", "Unbekanntes Gerät"):
        assert text in page
    assert "Unknown device" not in page


def test_a_german_reads_what_a_revocation_does_before_it_is_done(
    staff: Client, session: Any
) -> None:
    page = staff.get(f"{SESSIONS}{session.pk}/revoke/", headers=GERMAN).text
    assert "Widerrufen" in page
    assert "It cannot be undone" not in page


def test_what_staff_did_is_stored_in_english(staff: Client, session: Any) -> None:
    revoke = f"{SESSIONS}{session.pk}/revoke/"
    answer = staff.post(revoke, {"reason": "verloren", "confirm": "1"}, headers=GERMAN, follow=True)
    assert answer.status_code == 200
    assert [entry.change_message for entry in LogEntry.objects.all()] == [
        "Revoked. Reason: verloren"
    ]

"""Promise 4: commit, then answer."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tokens import keyring, sessions
from tokens.errors import SessionEnded
from tokens.models import DeniedToken, EndReason, Session
from tokens.sessions import TokenPair, events, seen

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _atomic_requests(tokens_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    keyring.ensure()


@pytest.fixture
def pair(user: Any) -> TokenPair:
    return sessions.start(user)


def refreshed_and_used(pair: TokenPair, *, now: datetime) -> None:
    """Refresh, and let it be written that the successor was seen in use."""
    sessions.authenticate(sessions.refresh(pair.raw_refresh, now=now).raw_access, now=now)
    seen.flush()


def test_a_detected_reuse_is_committed_although_the_answer_is_an_error(
    api: APIClient, user: Any
) -> None:
    begun = timezone.now() - timedelta(minutes=1)
    pair = sessions.start(user, now=begun)
    refreshed_and_used(pair, now=begun)
    answer = api.post("/api/token/refresh/", {"refresh": pair.raw_refresh})
    assert answer.status_code == 401
    assert Session.objects.get().end_reason == EndReason.REUSE
    assert DeniedToken.objects.filter(value=str(pair.session.pk)).exists()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/token/revoke/", "token"),
        ("/api/token/blacklist/", "refresh"),
        ("/api/logout/", "refresh"),
        ("/api/logout/all/", "refresh"),
    ],
)
def test_no_view_that_revokes_runs_in_the_requests_transaction(
    api: APIClient, pair: TokenPair, path: str, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_transaction = spied_on_at_the_end(monkeypatch)
    assert api.post(path, {body: pair.raw_refresh}).status_code in {200, 204}
    assert in_transaction == [False]
    with pytest.raises(SessionEnded):
        sessions.authenticate(pair.raw_access)


def test_ending_ones_own_session_does_not_run_in_the_requests_transaction(
    api: APIClient, pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_transaction = spied_on_at_the_end(monkeypatch)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    assert api.delete(f"/api/sessions/{pair.session.pk}/").status_code == 204
    assert in_transaction == [False]


def test_signing_out_on_a_page_does_not_run_in_the_requests_transaction(
    api: APIClient, pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_transaction = spied_on_at_the_end(monkeypatch)
    api.cookies["latchkey_refresh"] = pair.raw_refresh
    assert api.post("/api/logout/page/").status_code == 302
    assert in_transaction == [False]


def spied_on_at_the_end(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return a list that gets, for each end of sessions, whether a transaction was around it."""
    found: list[bool] = []
    monkeypatch.setattr(events, "ended", lambda *_, **how: found.append(connection.in_atomic_block))
    return found


def test_a_password_change_is_committed_with_the_ends_of_the_sessions(
    api: APIClient, user: Any, pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When ending fails, the password is as before, and the other way round."""
    mine = sessions.start(user)

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("tokens.denylist.deny", fail)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {mine.raw_access}")
    api.raise_request_exception = False
    body = {"current_password": PASSWORD, "new_password": "a rather different sentence"}
    assert api.post("/api/me/password/", body).status_code == 500
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    sessions.authenticate(pair.raw_access)

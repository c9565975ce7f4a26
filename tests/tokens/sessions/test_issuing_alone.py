"""An access token without a refresh token, and what belongs to one session."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tokens import sessions, signals
from tokens.errors import ClaimsError, Expired, PasswordChanged, SessionEnded, UserInactive
from tokens.models import EndReason, Session, SessionKind
from tokens.sessions import AccessToken

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEEWAY = timedelta(seconds=10)

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(user: Any) -> AccessToken:
    return sessions.issue_access_token(user, lifetime=HOUR, claims={"file": 7}, now=NOW)


def test_it_is_valid_for_its_lifetime_and_brings_its_claims(user: Any, token: AccessToken) -> None:
    found = sessions.authenticate(token.raw_access, now=NOW + HOUR)
    assert found.user.pk == user.pk
    assert found.claims.extra == {"file": 7}
    assert token.expires_at == NOW + HOUR
    with pytest.raises(Expired):
        sessions.authenticate(token.raw_access, now=NOW + HOUR + LEEWAY)


def test_its_session_is_over_with_it(token: AccessToken) -> None:
    session = Session.objects.get()
    assert session.kind == SessionKind.ACCESS
    assert session.expires_at == session.idle_until == NOW + HOUR


def test_its_lifetime_is_that_of_access_tokens_by_default(user: Any) -> None:
    token = sessions.issue_access_token(user, now=NOW)
    assert token.expires_at == NOW + timedelta(minutes=5)


@pytest.mark.django_db(transaction=True)  # A copy of the denylist learns of what was committed.
@pytest.mark.parametrize("mode", ["strict", "snapshot"])
def test_it_can_be_taken_back(user: Any, token: AccessToken, settings: Any, mode: str) -> None:
    settings.TOKENS_DENYLIST_MODE = mode
    sessions.authenticate(token.raw_access, now=NOW)
    sessions.end_all(user, reason=EndReason.REVOKED, now=NOW)
    with pytest.raises(SessionEnded):
        sessions.authenticate(token.raw_access, now=NOW)


def test_it_is_refused_after_a_password_change(user: Any, token: AccessToken) -> None:
    user.set_password("another")
    user.save()
    with pytest.raises(PasswordChanged):
        sessions.authenticate(token.raw_access, now=NOW)


def test_it_is_no_sign_in(user: Any, caplog: pytest.LogCaptureFixture) -> None:
    started: list[Any] = []

    def receiver(sender: Any, **kwargs: Any) -> None:
        started.append(sender)

    signals.session_started.connect(receiver)
    sessions.issue_access_token(user)
    signals.session_started.disconnect(receiver)
    assert started == []


def test_it_shows_no_token(token: AccessToken) -> None:
    assert token.raw_access not in repr(token)


def test_nothing_is_issued_that_cannot_be(user: Any) -> None:
    with pytest.raises(ClaimsError):
        sessions.issue_access_token(user, claims={"sub": "me"})
    user.is_active = False
    with pytest.raises(UserInactive):
        sessions.issue_access_token(user)
    assert not Session.objects.exists()


def test_claims_and_lifetimes_of_a_session_stay_through_refreshes(user: Any) -> None:
    pair = sessions.start(
        user, claims={"tenant": "blue"}, idle=2 * HOUR, absolute=5 * HOUR, now=NOW
    )
    for hours in (1, 2, 3, 4):
        pair = sessions.refresh(pair.raw_refresh, now=NOW + hours * HOUR)
        assert pair.refresh_expires_at == min(NOW + (hours + 2) * HOUR, NOW + 5 * HOUR)
        found = sessions.authenticate(pair.raw_access, now=NOW + hours * HOUR)
        assert found.claims.extra == {"tenant": "blue"}
    with pytest.raises(Expired):
        sessions.refresh(pair.raw_refresh, now=NOW + 5 * HOUR + LEEWAY)

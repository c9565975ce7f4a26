"""Without a package that publishes statuses, sessions have none."""

from typing import Any

import pytest

from tokens import sessions
from tokens.errors import TokenError


@pytest.fixture(autouse=True)
def _no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokens.sessions.status._statuses", None)


def test_a_token_has_no_claim_of_a_status(user: Any) -> None:
    pair = sessions.start(user)
    assert "status" not in sessions.authenticate(pair.raw_access).claims.extra
    assert pair.session.status_index == ""


def test_what_refuses_tokens_needs_no_package(user: Any) -> None:
    kept, other = sessions.start(user), sessions.start(user)
    sessions.revoke(other.raw_access)
    user.set_password("another one")
    moved = sessions.change_password(user, keep=kept.session.pk)
    assert moved is not None
    for refused in (other, kept):
        with pytest.raises(TokenError):
            sessions.authenticate(refused.raw_access)
    sessions.authenticate(moved.raw_access)

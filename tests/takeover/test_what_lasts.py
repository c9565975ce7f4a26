"""What takes a former token back, and lasts: through a rollback, and after the rows were pruned."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from tests.support.rollbacks import rolled_back
from tokens import sessions
from tokens.errors import TokenError, WithoutKeyID
from tokens.models import EndReason, Session
from tokens.operations import pruning, revocation

from .conftest import DAY, NOW, access_token, adopt, refresh_token

HOUR = timedelta(hours=1)


@pytest.mark.django_db(transaction=True)
def test_an_end_lasts_although_the_token_was_first_shown_in_that_transaction(user: Any) -> None:
    adopt()
    access, refresh = access_token(user), refresh_token(user)
    with rolled_back():
        found = sessions.authenticate(access, now=NOW)
        sessions.end([found.session], reason=EndReason.REVOKED, now=NOW)
        sessions.revoke(refresh, now=NOW)
    for raw in (access, refresh):
        with pytest.raises(TokenError):
            sessions.verify(raw, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_nothing_remains_of_a_user_whom_the_rollback_has_removed(user: Any) -> None:
    adopt()
    with rolled_back():
        new = get_user_model().objects.create_user("new")
        sessions.verify(access_token(new, issued=NOW), now=NOW)
    assert not Session.objects.exclude(user=user).exists()


@pytest.mark.parametrize("runs_again", [False, True])
@pytest.mark.django_db
def test_a_pruned_end_still_refuses_the_tokens_that_nothing_was_known_about(
    user: Any, settings: Any, runs_again: bool
) -> None:
    settings.TOKENS_RETENTION = DAY
    adopt()
    # Issued by the former site during the first run, and after it.
    tokens = [refresh_token(user), refresh_token(user, issued=NOW + HOUR / 2)]
    sessions.end_all(user, reason=EndReason.REVOKED, now=NOW + HOUR)
    later = NOW + 3 * DAY
    pruning.prune(now=later)
    assert not Session.objects.exists()
    if runs_again:
        adopt(later)
    for raw in tokens:
        with pytest.raises(TokenError):
            sessions.refresh(raw, now=later)


@pytest.mark.parametrize("make", [access_token, refresh_token])
@pytest.mark.django_db
def test_staff_can_take_back_a_token_that_they_have(user: Any, make: Any) -> None:
    raw = make(user)
    with pytest.raises(WithoutKeyID):
        revocation.deny_token(raw, note="leaked", now=NOW)
    adopt()
    revocation.deny_token(f" {raw} ", note="leaked", now=NOW)
    with pytest.raises(TokenError):
        sessions.verify(raw, now=NOW)

"""The rows of the blacklist app follow the sessions, and a row that code inserts ends one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from tests.conftest import PASSWORD
from tokens import sessions
from tokens.models import DeniedToken, EndReason, Session

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_session_has_a_row_without_a_token(user: Any) -> None:
    refresh = RefreshToken.for_user(user)
    raw = str(refresh)
    row = OutstandingToken.objects.get(user=user)
    assert (row.jti, row.token) == (refresh["jti"], "")
    assert row.expires_at == Session.objects.get().expires_at
    assert raw not in str(row)
    assert str(row) == f"Token for ada ({row.jti})"
    assert RefreshToken(raw).outstand() == (row, False)


def test_sessions_of_other_doors_have_rows_too(user: Any) -> None:
    APIClient().post("/api/token/", {"username": "ada", "password": PASSWORD})
    sessions.issue_access_token(user)
    session = Session.objects.get(kind="pair")
    assert OutstandingToken.objects.get().jti == f"{session.pk.hex}.0r"


def test_a_session_that_is_older_than_the_app_gets_its_row_at_a_refresh(user: Any) -> None:
    raw = sessions.start(user).raw_refresh
    OutstandingToken.objects.all().delete()
    sessions.refresh(raw)
    assert OutstandingToken.objects.get().user == user


def test_the_loop_that_signs_a_user_out_everywhere_does_so(user: Any) -> None:
    accesses = [str(RefreshToken.for_user(user).access_token) for _ in range(2)]
    for row in OutstandingToken.objects.filter(user=user):
        BlacklistedToken.objects.get_or_create(token=row)
    for raw in accesses:
        with pytest.raises(TokenError, match="blacklisted"):
            AccessToken(raw)
    assert set(Session.objects.values_list("end_reason", flat=True)) == {EndReason.REVOKED}
    assert BlacklistedToken.objects.count() == 2
    assert not OutstandingToken.objects.filter(blacklistedtoken__isnull=True).exists()


def test_many_rows_at_once_end_their_sessions(user: Any) -> None:
    raw = str(RefreshToken.for_user(user))
    rows = [BlacklistedToken(token=row) for row in OutstandingToken.objects.all()]
    BlacklistedToken.objects.bulk_create(rows)
    with pytest.raises(TokenError, match="blacklisted"):
        RefreshToken(raw)


def test_a_session_that_ends_elsewhere_gets_its_row(user: Any) -> None:
    str(RefreshToken.for_user(user))
    sessions.end_all(user, reason=EndReason.REVOKED)
    row = BlacklistedToken.objects.get()
    assert str(row) == "Blacklisted token for ada"
    sessions.issue_access_token(user)
    sessions.end_all(user, reason=EndReason.REVOKED)
    assert BlacklistedToken.objects.count() == 1


def test_blacklisting_says_whether_the_row_is_new(user: Any) -> None:
    refresh = RefreshToken.for_user(user)
    row, created = refresh.blacklist()
    assert (row.token.jti, created) == (refresh["jti"], True)
    assert refresh.blacklist() == (row, False)


def test_a_token_without_a_user_has_a_row_when_it_is_blacklisted(user: Any) -> None:
    token = RefreshToken()
    row, created = token.blacklist()
    assert (row.token.jti, row.token.user, created) == (token["jti"], None, True)
    assert token.blacklist()[1] is False


def test_a_row_for_a_token_without_a_user_denies_it(user: Any) -> None:
    token = RefreshToken()
    raw = str(token)
    until = datetime.fromtimestamp(token["exp"], UTC)
    outstanding = OutstandingToken.objects.create(jti=token["jti"], expires_at=until)
    BlacklistedToken.objects.create(token=outstanding)
    assert DeniedToken.objects.get().value == token["jti"]
    with pytest.raises(TokenError, match="blacklisted"):
        RefreshToken(raw)


def test_rows_of_simplejwt_itself_stay_as_they_are(user: Any) -> None:
    now = datetime.now(UTC)
    old = OutstandingToken.objects.create(user=user, jti="0" * 32, token="x", expires_at=now)
    BlacklistedToken.objects.create(token=old)
    assert not DeniedToken.objects.exists()
    assert OutstandingToken.objects.get().token == "x"


def test_expired_rows_can_be_flushed(user: Any) -> None:
    str(RefreshToken.for_user(user))
    OutstandingToken.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    call_command("flushexpiredtokens")
    assert not OutstandingToken.objects.exists()
    assert Session.objects.count() == 1


def test_the_admin_shows_the_rows_and_changes_none(user: Any) -> None:
    RefreshToken.for_user(user).blacklist()
    OutstandingToken.objects.create(jti="1", token="secret", expires_at=datetime.now(UTC))
    browser = Client()
    browser.force_login(get_user_model().objects.create_superuser("grace"))
    for model in ("outstandingtoken", "blacklistedtoken"):
        page = browser.get(f"/admin/token_blacklist/{model}/")
        assert page.status_code == 200
        assert ".0r" in page.content.decode()
        assert browser.get(f"/admin/token_blacklist/{model}/add/").status_code == 403
    row = OutstandingToken.objects.get(jti="1")
    page = browser.get(f"/admin/token_blacklist/outstandingtoken/{row.pk}/change/")
    assert page.status_code == 200
    assert "secret" not in page.content.decode()
    assert (
        browser.post(f"/admin/token_blacklist/outstandingtoken/{row.pk}/delete/").status_code == 403
    )


def test_an_end_lasts_although_the_callers_transaction_is_rolled_back(user: Any) -> None:
    from django.db import transaction

    raw = str(RefreshToken.for_user(user))
    with transaction.atomic():
        BlacklistedToken.objects.create(token=OutstandingToken.objects.get())
        transaction.set_rollback(True)
    with pytest.raises(TokenError, match="blacklisted"):
        RefreshToken(raw)

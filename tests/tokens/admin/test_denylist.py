"""Staff read the denylist and add to it. A pasted token is decoded, and not shown again."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone
from django.views.debug import SafeExceptionReporterFilter

from tests.tokens.admin.conftest import shown, texts
from tokens import keyring, sessions
from tokens.errors import KeyRingError
from tokens.jose import TokenType, jti_of
from tokens.models import DeniedToken, EndReason, Session

LIST = "/admin/tokens/deniedtoken/"
ADD = LIST + "add/"
REASON = "seen in a screenshot"


@pytest.fixture
def pair(user: Any) -> sessions.TokenPair:
    return sessions.start(user)


def jti(pair: sessions.TokenPair, type: TokenType) -> str:
    return jti_of(pair.session.pk, pair.session.generation, type)


def add(client: Client, **fields: str) -> Any:
    return client.post(ADD, {"reason": REASON, **fields}, follow=True)


def is_refused(raw_access: str, api: Any) -> bool:
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {raw_access}")
    return bool(api.get("/api/me/").status_code == 401)


def test_a_pasted_access_token_is_refused_and_nowhere_to_be_seen(
    supporter: Client,
    api: Any,
    pair: sessions.TokenPair,
    grace: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    assert not is_refused(pair.raw_access, api)
    answer = add(supporter, token=pair.raw_access)
    assert "Its session continues" in texts(answer)[0]
    assert is_refused(pair.raw_access, api)
    assert Session.objects.get().ended_at is None
    row = DeniedToken.objects.get()
    assert (row.value, row.reason, row.denied_by) == (
        jti(pair, TokenType.ACCESS),
        REASON,
        grace,
    )
    entry = LogEntry.objects.get()
    assert REASON in entry.change_message
    signature = pair.raw_access.rpartition(".")[2]
    for place in (answer.content.decode(), caplog.text, str(LogEntry.objects.values())):
        assert signature not in place


def test_a_pasted_refresh_token_ends_its_session_and_that_is_said(
    supporter: Client, api: Any, pair: sessions.TokenPair
) -> None:
    answer = add(supporter, token=f"  Bearer {pair.raw_refresh}\n")
    assert "its session is revoked" in texts(answer)[0]
    assert is_refused(pair.raw_access, api)
    assert Session.objects.get().end_reason == EndReason.REVOKED
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize("type", TokenType)
def test_a_jti_is_enough(
    supporter: Client, api: Any, pair: sessions.TokenPair, type: TokenType
) -> None:
    add(supporter, jti=jti(pair, type))
    assert is_refused(pair.raw_access, api)
    assert (Session.objects.get().ended_at is None) is (type is TokenType.ACCESS)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({}, "either a token or a jti"),
        ({"token": "TOKEN", "jti": "JTI"}, "either a token or a jti"),
        ({"token": "TOKEN", "reason": ""}, "required"),
        ({"token": "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"}, "refused already"),
        ({"token": "x" * 9000}, "at most 8192"),
        ({"jti": "not-a-jti"}, "32 hexadecimal digits"),
        ({"jti": "TOKEN"}, "contained a token"),
        ({"jti": "0" * 32 + ".0a"}, "no longer exists"),
    ],
)
def test_what_cannot_be_denied_is_said_and_no_token_is_shown_again(
    supporter: Client, pair: sessions.TokenPair, fields: dict[str, str], complaint: str
) -> None:
    real = {"TOKEN": pair.raw_access, "JTI": jti(pair, TokenType.ACCESS)}
    answer = add(supporter, **{name: real.get(value, value) for name, value in fields.items()})
    page = answer.content.decode()
    assert complaint in page
    assert pair.raw_access[:60] not in page
    assert "x" * 100 not in page
    assert not DeniedToken.objects.exists()
    assert not LogEntry.objects.exists()


def test_why_a_token_needs_no_denial_is_told_to_staff(
    supporter: Client, pair: sessions.TokenPair
) -> None:
    add(supporter, token=pair.raw_access)
    assert "on the denylist already" in add(supporter, token=pair.raw_access).content.decode()
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))
    assert "names no key" in add(supporter, token=pair.raw_refresh).content.decode()


def test_error_reports_hide_what_was_pasted(
    supporter: Client, pair: sessions.TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tokens.operations.revocation.deny_token", fail)
    supporter.raise_request_exception = False
    answer = supporter.post(ADD, {"token": pair.raw_access, "reason": REASON})
    assert answer.status_code == 500
    hidden = SafeExceptionReporterFilter().get_post_parameters(answer.wsgi_request)
    assert pair.raw_access not in str(hidden)
    assert hidden["reason"] == REASON


def test_a_key_ring_that_does_not_open_is_said_with_what_to_do(
    supporter: Client, api: Any, pair: sessions.TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise KeyRingError("No signing key exists.", hint="Create one.")

    monkeypatch.setattr("tokens.operations.revocation.deny_token", fail)
    page = add(supporter, token=pair.raw_access).content.decode()
    assert "Nothing was changed. No signing key exists. Create one." in page
    assert pair.raw_access not in page
    assert not is_refused(pair.raw_access, api)


def test_the_jti_of_a_refresh_token_needs_the_permission_to_revoke(
    staff: Client, permit: Any, api: Any, pair: sessions.TokenPair
) -> None:
    permit("tokens.view_deniedtoken", "tokens.deny_token")
    answer = add(staff, jti=jti(pair, TokenType.REFRESH))
    assert "no permission to revoke its session" in answer.content.decode()
    assert not is_refused(pair.raw_access, api)
    # Staff who hold the token itself can end its session anyway.
    answer = add(staff, token=pair.raw_refresh)
    assert answer.redirect_chain == [(LIST, 302)]
    assert is_refused(pair.raw_access, api)


def test_who_may_not_deny_sees_no_button_and_a_forged_request_is_403(
    staff: Client, permit: Any, api: Any, pair: sessions.TokenPair
) -> None:
    permit("tokens.view_deniedtoken")
    assert ADD not in staff.get(LIST).content.decode()
    assert staff.get(ADD).status_code == 403
    assert staff.post(ADD, {"token": pair.raw_access, "reason": REASON}).status_code == 403
    assert not is_refused(pair.raw_access, api)


def test_another_site_cannot_deny_in_the_name_of_staff(admin_user: Any, pair: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    assert client.post(ADD, {"token": pair.raw_access, "reason": REASON}).status_code == 403


def test_the_list_tells_what_whose_why_by_whom_since_and_until(
    supporter: Client, pair: sessions.TokenPair
) -> None:
    add(supporter, token=pair.raw_access)
    sessions.end([pair.session], reason=EndReason.LOGOUT)
    page = supporter.get(LIST).content.decode()
    for word in (jti(pair, TokenType.ACCESS), str(pair.session.pk), "ada", REASON, "grace"):
        assert word in page
    assert "signed out" in page


def test_a_denial_is_found_by_its_id_its_session_and_its_user(
    supporter: Client, pair: sessions.TokenPair, grace: Any
) -> None:
    sessions.end([sessions.start(grace).session], reason=EndReason.LOGOUT)
    sessions.end([pair.session], reason=EndReason.LOGOUT)
    expected = [DeniedToken.objects.get(value=str(pair.session.pk)).pk]
    for term in (str(pair.session.pk), jti(pair, TokenType.ACCESS), "ada", "ADA@example.org"):
        assert shown(supporter.get(LIST, {"q": term})) == expected
    assert shown(supporter.get(LIST, {"q": "nobody"})) == []
    assert shown(supporter.get(LIST + "?kind=jti")) == []
    assert len(shown(supporter.get(LIST + "?kind=sid"))) == 2


def test_the_jti_of_a_session_that_has_expired_is_said_to_be_refused_already(
    admin_client: Client, user: Any
) -> None:
    old = sessions.start(user, now=timezone.now() - timedelta(days=30))
    answer = add(admin_client, jti=jti(old, TokenType.REFRESH))
    assert answer.status_code == 200
    assert "this token is refused already" in answer.content.decode()
    assert not LogEntry.objects.exists()

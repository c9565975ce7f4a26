"""One search field finds a session by any of its ids and names, and never repeats a token."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from tests.support.grace import rotate_twice
from tests.tokens.admin.conftest import SESSIONS, page_of, shown, texts
from tokens import keyring, sessions
from tokens.admin.search import find_token
from tokens.errors import RefreshTokenReused
from tokens.jose import TokenType, jti_of
from tokens.models import EndReason

FIND = SESSIONS + "find/"
DENYLIST = "/admin/tokens/deniedtoken/"


@pytest.fixture
def found(user: Any, django_user_model: Any) -> sessions.TokenPair:
    """Return a session of ``ada``. A session of another user exists too, and must not be found."""
    other = django_user_model.objects.create_user("alan", "alan@example.org")
    sessions.start(other, client=sessions.Client("198.51.100.7"))
    return sessions.start(user, client=sessions.Client("2001:db8::1"))


KINDS = (
    "username",
    "e-mail",
    "address",
    "sid",
    "sid in hexadecimal",
    "jti of the access token",
    "jti of an older refresh token",
    "key of the user",
    "with spaces around",
)


def words(pair: sessions.TokenPair) -> dict[str, str]:
    typed = (
        "ada",
        "Ada@Example.ORG",
        "2001:DB8:0::1",
        str(pair.session.pk),
        pair.session.pk.hex,
        jti_of(pair.session.pk, pair.session.generation, TokenType.ACCESS),
        f"{pair.session.pk.hex}.0r",
        str(pair.session.user_id),
        "  ada ",
    )
    return dict(zip(KINDS, typed, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_is_found_by(supporter: Client, found: sessions.TokenPair, kind: str) -> None:
    answer = supporter.post(FIND, {"q": words(found)[kind]}, follow=True)
    assert shown(answer) == [found.session.pk]


@pytest.mark.parametrize("term", ["%", "_da", "adas", "example.org", "192.0.2.99", "0" * 32])
def test_what_begins_no_name_finds_nothing(
    supporter: Client, found: sessions.TokenPair, term: str
) -> None:
    assert shown(supporter.post(FIND, {"q": term}, follow=True)) == []


def test_the_address_from_which_an_old_token_came_finds_its_session(
    supporter: Client, found: sessions.TokenPair
) -> None:
    rotate_twice(found)
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(found.raw_refresh, client=sessions.Client("203.0.113.9"))
    answer = supporter.post(FIND, {"q": "203.0.113.9"}, follow=True)
    assert shown(answer) == [found.session.pk]


def test_a_search_keeps_the_filters(supporter: Client, found: sessions.TokenPair) -> None:
    answer = supporter.post(FIND, {"q": "ada", "state": "ended", "evil": "x"})
    assert answer["Location"] == SESSIONS + "?state=ended&q=ada"


def test_filters_look_at_what_was_found_and_not_at_the_newest_of_all(
    supporter: Client, found: sessions.TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = type(found.session.user).objects.get(username="alan")
    for _ in range(3):
        sessions.start(other)
    monkeypatch.setattr("tokens.operations.tally.WINDOW", 1)
    assert shown(supporter.get(SESSIONS + "?q=ada&state=live")) == [found.session.pk]


@pytest.mark.parametrize("kind", ["access", "refresh", "expired", "bearer", "answer", "rotated"])
def test_a_pasted_token_leads_to_its_session_and_is_nowhere_afterwards(
    supporter: Client, user: Any, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    began = timezone.now() - timedelta(hours=1) if kind == "expired" else None
    pair = sessions.start(user, now=began)
    if kind == "rotated":
        sessions.refresh(pair.raw_refresh)
    raw = pair.raw_refresh if kind in {"refresh", "rotated"} else pair.raw_access
    text = {"bearer": f"Authorization: Bearer {raw}", "answer": f'{{"access": "{raw}"}}'}
    answer = supporter.post(FIND, {"q": text.get(kind, f" {raw} ")})
    assert answer["Location"] == page_of(pair.session)
    assert "no-store" in answer["Cache-Control"]
    page = supporter.get(answer["Location"])
    signature = raw.rpartition(".")[2]
    for place in (page.content.decode(), caplog.text, str(supporter.session.items())):
        assert signature not in place
    assert not LogEntry.objects.exists()


def test_why_a_token_finds_nothing_is_said(supporter: Client, found: sessions.TokenPair) -> None:
    def say(raw: str) -> str:
        answer = supporter.post(FIND, {"q": raw}, follow=True)
        assert answer.redirect_chain[-1][0] == SESSIONS
        return texts(answer)[-1]

    half, _, signature = found.raw_access.rpartition(".")
    assert "not three base64url parts" in say(half)
    # The last character carries fewer bits than the others, so not every character is valid there.
    forged = signature[-2::-1] + signature[-1]
    assert "did not sign" in say(f"{half}.{forged}")
    found.session.user.delete()
    assert "no longer exists" in say(found.raw_access)
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))
    assert "names no key" in say(found.raw_access)


def test_a_token_in_the_address_is_taken_out_of_it(
    supporter: Client, found: sessions.TokenPair
) -> None:
    for listed in (SESSIONS, DENYLIST):
        answer = supporter.get(listed, {"q": found.raw_access}, follow=True)
        assert answer.redirect_chain == [(listed, 302)]
        assert "logs may now contain it" in texts(answer)[0]
        assert found.raw_access not in answer.content.decode()


def test_a_token_pasted_into_the_search_of_the_denylist_becomes_its_jti(
    supporter: Client, found: sessions.TokenPair
) -> None:
    sessions.end([found.session], reason=EndReason.LOGOUT)
    answer = supporter.post(DENYLIST + "find/", {"q": found.raw_access, "kind": "sid"})
    assert (
        answer["Location"]
        == f"{DENYLIST}?q={jti_of(found.session.pk, found.session.generation, TokenType.ACCESS)}"
    )
    assert len(shown(supporter.get(answer["Location"]))) == 1
    assert supporter.post(DENYLIST + "find/", {"q": "ada", "kind": "sid"})["Location"] == (
        f"{DENYLIST}?kind=sid&q=ada"
    )


def test_searching_requires_the_permission_to_view_sessions(
    staff: Client, found: sessions.TokenPair
) -> None:
    for term in ("ada", found.raw_access):
        assert staff.post(FIND, {"q": term}).status_code == 403


def test_the_field_is_protected_against_other_sites(grace: Any, user: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(grace)
    assert client.post(FIND, {"q": "ada"}).status_code == 403


@pytest.mark.parametrize("text", ["", "ada", "john.q.public", "192.0.2.1", "0" * 32 + ".1a"])
def test_what_is_no_token_is_not_taken_for_one(text: str) -> None:
    assert find_token(text) is None


def test_a_token_that_the_address_disguises_finds_nothing(
    supporter: Client, found: sessions.TokenPair
) -> None:
    disguised = found.raw_access.replace("eyJ", "%65yJ")
    for listed in (SESSIONS, DENYLIST):
        assert shown(supporter.get(f"{listed}?q={disguised}")) == []

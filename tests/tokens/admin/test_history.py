"""A session's page shows what happened to it, with both clients of an incident."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from tests.tokens.admin.conftest import page_of, statements
from tokens import keyring, sessions
from tokens.admin.history import Event, history
from tokens.errors import RefreshTokenReused
from tokens.models import DeniedToken, EndReason, Session
from tokens.operations import revocation

NOW = timezone.now()
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"


def at(minutes: int) -> Any:
    return NOW + timedelta(minutes=minutes)


@pytest.fixture
def pair(user: Any) -> sessions.TokenPair:
    return sessions.start(user, client=sessions.Client("192.0.2.1", FIREFOX), now=NOW)


def told(*, now: Any = None) -> list[Event]:
    return history(Session.objects.get(), now=now or at(60))


def test_a_fresh_session_has_a_sign_in_and_no_more(pair: sessions.TokenPair) -> None:
    assert told() == [Event(NOW, "Signed in", ("on Firefox on Linux", "from 192.0.2.1"))]


def test_refreshes_are_counted_and_the_last_is_told(pair: sessions.TokenPair) -> None:
    pair = sessions.refresh(pair.raw_refresh, now=at(1))
    assert told()[1].title == "Refreshed once"
    sessions.refresh(pair.raw_refresh, client=sessions.Client("192.0.2.2"), now=at(2))
    assert told()[1] == Event(at(2), "Last of 2 refreshes", ("from 192.0.2.2",))


def test_pairs_that_were_given_again_are_counted(pair: sessions.TokenPair, staff: Any) -> None:
    home, away = sessions.Client("192.0.2.1", FIREFOX), sessions.Client("203.0.113.9", "curl")
    for client in (home, home, away):
        sessions.refresh(pair.raw_refresh, client=client, now=at(1))
    assert told()[1].details == (
        "from 192.0.2.1",
        "a pair was asked for again 2 times",
        "1 time from another network and another browser or app than the one that refreshed: a copy "
        "of the tokens may be in use",
    )


def test_the_page_shows_both_counters(pair: sessions.TokenPair, supporter: Client) -> None:
    Session.objects.update(repeats=17, repeats_elsewhere=12)
    content = supporter.get(page_of(pair.session)).content.decode()
    for text in (
        "Repeats elsewhere",
        ">17<",
        ">12<",
        "How often the current pair was given again.",
    ):
        assert text in content


def test_an_incident_names_both_addresses(pair: sessions.TokenPair) -> None:
    owner, other = sessions.Client("192.0.2.2"), sessions.Client("203.0.113.9")
    second = sessions.refresh(pair.raw_refresh, client=owner, now=at(1))
    sessions.refresh(second.raw_refresh, client=owner, now=at(3))
    with pytest.raises(RefreshTokenReused):
        sessions.refresh(pair.raw_refresh, client=other, now=at(4))
    event = told()[-1]
    assert event.at == at(4)
    assert event.title == "Ended: a refresh token was reused"
    assert event.details[0].endswith("presented from 203.0.113.9")
    assert event.details[1].endswith("requested from 192.0.2.2")


@pytest.mark.parametrize("pruned", [False, True], ids=["before pruning", "after pruning"])
def test_who_revoked_it_and_why_is_told_also_when_the_denial_is_pruned(
    supporter: Client, pair: sessions.TokenPair, pruned: bool
) -> None:
    supporter.post(page_of(pair.session, "revoke"), {"reason": "phone lost"})
    if pruned:
        DeniedToken.objects.all().delete()
    event = told()[-1]
    assert event.title == "Ended: revoked"
    assert event.details[0] == "by grace"
    assert "phone lost" in event.details[1]
    assert "phone lost" in supporter.get(page_of(pair.session)).content.decode()


def test_a_revocation_by_no_member_of_staff_is_shown_without_a_name(
    pair: sessions.TokenPair,
) -> None:
    client = sessions.Client("192.0.2.1")
    sessions.end([pair.session], reason=EndReason.REVOKED, client=client)
    assert told()[-1].details == ("from 192.0.2.1",)
    DeniedToken.objects.all().delete()
    assert told()[-1].details == ()


def test_a_sign_out_is_told_with_its_address(pair: sessions.TokenPair) -> None:
    client = sessions.Client("192.0.2.1")
    sessions.end([pair.session], reason=EndReason.LOGOUT, client=client, now=at(1))
    assert told()[-1] == Event(at(1), "Ended: signed out", ("from 192.0.2.1",))


def test_a_denied_access_token_is_told(pair: sessions.TokenPair, grace: Any) -> None:
    revocation.deny_token(pair.raw_access, note="in a screenshot", by=grace, now=at(1))
    event = told()[-1]
    assert event.title == "An access token was denied"
    assert event.details[1:] == ("by grace", "reason: in a screenshot")


def test_a_revoked_key_is_told(pair: sessions.TokenPair, grace: Any) -> None:
    plan = keyring.plan_rotation(revoke_previous=True)
    keyring.rotate(plan, by=grace, reason="backup lost", now=at(1))
    assert told()[-1] == Event(
        at(1), "Its signing key was revoked", ("by grace", "reason: backup lost")
    )


def test_a_cut_off_is_told(pair: sessions.TokenPair, grace: Any) -> None:
    revocation.carry_out(revocation.everything(), note="backup lost", by=grace, now=at(1))
    assert told()[-1] == Event(
        at(1), "Revoked with all sessions", ("by grace", "reason: backup lost")
    )


def test_an_expiry_is_told(pair: sessions.TokenPair) -> None:
    row = Session.objects.get()
    assert told(now=row.idle_until)[-1] == Event(row.idle_until, "Expired", ("idle limit",))
    Session.objects.update(idle_until=row.expires_at)
    assert told(now=row.expires_at)[-1].details == ("absolute limit",)


def test_a_page_costs_the_same_after_many_refreshes(
    supporter: Client, pair: sessions.TokenPair
) -> None:
    page = page_of(pair.session)
    supporter.get(page)
    few = statements(lambda: supporter.get(page))
    for minute in range(60):
        pair = sessions.refresh(pair.raw_refresh, now=at(minute))
    assert len(statements(lambda: supporter.get(page))) == len(few) <= 8


def test_a_site_without_users_shows_their_names(
    supporter: Client, pair: sessions.TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(admin.site._registry, type(pair.session.user))
    page = supporter.get(page_of(pair.session))
    assert page.status_code == 200
    assert ">ada<" in page.content.decode().replace(" ", "").replace("\n", "")

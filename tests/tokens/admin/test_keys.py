"""Staff see, rotate and revoke the key ring in the admin, and no page shows a secret."""

import re
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from tests.tokens.admin.conftest import statements, texts
from tokens import keyring, sessions
from tokens.errors import UnknownKey
from tokens.management.commands.rotate_secret import Command
from tokens.models import DeniedToken, Session, SigningKey
from tokens.operations.wording import cost_of_revoking

LIST = "/admin/tokens/signingkey/"
ROTATE, REVOKE = LIST + "rotate/", LIST + "revoke-previous/"
State = SigningKey.State
DAY = timedelta(days=1)


@pytest.fixture
def keeper(staff: Client, permit: Any) -> Client:
    permit("tokens.view_signingkey", "tokens.rotate_signingkey")
    return staff


def signing() -> str:
    return SigningKey.objects.get(state=State.SIGNING).kid


def form(**more: str) -> dict[str, str]:
    return {"signing": signing(), "algorithm": "HS256", **more}


def live_sessions(client: Client) -> dict[str, str]:
    answer = client.get(LIST)
    columns: list[Any] = answer.context["cl"].list_display
    (column,) = (column for column in columns if callable(column))
    rows = answer.context["cl"].result_list
    return {key.kid: re.sub("<[^>]+>", "", column(key))[len("Live sessions") :] for key in rows}


@pytest.mark.usefixtures("db")
def test_the_list_shows_each_key_with_its_live_sessions(keeper: Client, user: Any) -> None:
    former = signing()
    pairs = [sessions.start(user) for _ in range(3)]
    keeper.post(ROTATE, form())
    sessions.refresh(pairs[0].raw_refresh)
    counts = live_sessions(keeper)
    assert next(iter(counts)) == signing() != former
    assert (counts[signing()], counts[former]) == ("1", "2")
    page = keeper.get(LIST).content.decode()
    for words in ("HS256", "only verifies", "published, will sign next", "verifies until"):
        assert words.lower() in page.lower()


def test_live_sessions_are_those_of_the_newest_where_there_are_too_many(
    keeper: Client, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokens.operations.tally.WINDOW", 2)
    monkeypatch.setattr("tokens.admin.keys.WINDOW", 2)
    for _ in range(3):
        sessions.start(user)
    assert live_sessions(keeper)[signing()] == "2 of the newest 2"


def test_the_list_costs_the_same_with_many_keys(keeper: Client, user: Any) -> None:
    keeper.get(LIST)
    few = statements(lambda: keeper.get(LIST))
    now = timezone.now()
    for days in range(5):
        keyring.rotate(
            keyring.plan_rotation(now=now + timedelta(days=days)), now=now + timedelta(days=days)
        )
    many = statements(lambda: keeper.get(LIST))
    assert len(few) == len(many)
    assert sum("COUNT(" in sql for sql in many) == 1


def test_rotating_asks_first_and_signs_no_user_out(keeper: Client, user: Any, grace: Any) -> None:
    pair, former = sessions.start(user), signing()
    page = keeper.get(ROTATE).content.decode()
    assert "No user is signed out" in page
    assert "HS256" in page
    assert signing() == former
    answer = keeper.post(ROTATE, form(), follow=True)
    assert signing() != former
    assert any(signing() in text for text in texts(answer))
    sessions.authenticate(sessions.refresh(pair.raw_refresh).raw_access)
    sessions.authenticate(pair.raw_access)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (grace, signing())
    assert former in entry.change_message


def test_a_page_that_asks_looks_at_no_more_sessions_than_its_bound(
    keeper: Client, user: Any, settings: Any
) -> None:
    sessions.start(user)
    for address in (ROTATE, REVOKE):
        assert not any("MAX(" in sql for sql in statements(partial(keeper.get, address)))
    # The rotation itself keeps the former key until older tokens with a longer lifetime expire.
    settings.TOKENS_REFRESH_LIFETIME = DAY
    keeper.post(ROTATE, form())
    last = Session.objects.get().idle_until
    former = SigningKey.objects.get(state=State.RETIRED)
    assert former.verifies_until is not None
    assert former.verifies_until > last


def test_another_algorithm_can_be_chosen(keeper: Client, db: None) -> None:
    keeper.post(ROTATE, form(algorithm="ES256"))
    assert SigningKey.objects.get(state=State.SIGNING).algorithm == "ES256"


def test_revoking_says_what_it_costs_in_the_words_of_the_command(
    keeper: Client, user: Any, grace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for someone in (user, user, grace):
        sessions.start(someone)
    plan = keyring.plan_rotation(revoke_previous=True)
    expected = cost_of_revoking(plan.revoked, sessions=3, users=2)
    assert "2 keys and with them 3 sessions of 2 users" in expected
    assert expected in keeper.get(REVOKE).content.decode()
    asked: list[str] = []
    command = Command()
    monkeypatch.setattr(command, "confirm", asked.append)
    options = {"algorithm": None, "revoke_previous": True, "dry_run": False, "interactive": True}
    command._rotate({**options, "reason": "leak", "json": True})
    assert asked == [expected]


def test_revoking_signs_every_user_out_at_once(keeper: Client, user: Any, grace: Any) -> None:
    pair, former = sessions.start(user), signing()
    answer = keeper.post(REVOKE, form(reason="backup lost"), follow=True)
    with pytest.raises(UnknownKey):
        sessions.authenticate(pair.raw_access)
    row = DeniedToken.objects.get(value=former)
    assert (row.reason, row.denied_by) == ("backup lost", grace)
    assert Session.objects.live(now=timezone.now()).count() == 0
    assert any("must sign in again" in text for text in texts(answer))
    assert LogEntry.objects.filter(user=grace).count() == 3
    assert live_sessions(keeper)[former] == "0"


@pytest.mark.parametrize("page", [ROTATE, REVOKE])
def test_a_page_about_a_former_ring_changes_nothing(keeper: Client, db: None, page: str) -> None:
    stale = form(reason="late")
    keeper.post(ROTATE, form())
    # Long enough ago that it does not count as a rotation at the same moment.
    SigningKey.objects.filter(state=State.RETIRED).update(retired_at=timezone.now() - DAY)
    ring = list(SigningKey.objects.values_list("kid", "state"))
    answer = keeper.post(page, stale, follow=True)
    assert "Another rotation was first" in texts(answer)[-1]
    assert list(SigningKey.objects.values_list("kid", "state")) == ring


@pytest.mark.parametrize(
    "fields", [{"algorithm": "none"}, {"algorithm": ""}, {"signing": ""}, {"reason": ""}]
)
def test_a_form_that_is_not_complete_changes_nothing(
    keeper: Client, db: None, fields: dict[str, str]
) -> None:
    former = signing()
    answer = keeper.post(REVOKE, form(**{"reason": "leak", **fields}))
    assert answer.status_code == 200
    assert signing() == former


def test_a_ring_that_does_not_open_is_said_and_left_alone(
    keeper: Client, db: None, settings: Any
) -> None:
    settings.TOKENS_SECRET = "another secret that did not seal the ring, of good length"
    answer = keeper.post(ROTATE, form(), follow=True)
    said = texts(answer)[0]
    assert "cannot be decrypted with TOKENS_SECRET." in said
    assert "add that secret to TOKENS_SECRET_FALLBACKS" in said
    assert SigningKey.objects.count() == 2


def test_who_may_not_rotate_sees_no_button_and_a_forged_request_is_403(
    staff: Client, permit: Any
) -> None:
    permit("tokens.view_signingkey")
    former, page = signing(), staff.get(LIST).content.decode()
    for address in (ROTATE, REVOKE):
        assert address not in page
        assert staff.get(address).status_code == 403
        assert staff.post(address, form(reason="mine now")).status_code == 403
    assert signing() == former


def test_staff_who_may_rotate_see_the_buttons(keeper: Client) -> None:
    page = keeper.get(LIST).content.decode()
    assert ROTATE in page
    assert REVOKE in page


def test_another_site_cannot_rotate_in_the_name_of_staff(admin_user: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    former = signing()
    assert client.post(ROTATE, form()).status_code == 403
    assert signing() == former

"""Staff revoke a session, and its next request is refused."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from rest_framework.test import APIClient

from tests.tokens.admin.conftest import SESSIONS, page_of, texts
from tokens import sessions
from tokens.models import DeniedToken, EndReason, Session

REASON = {"reason": "phone lost in a taxi"}


@pytest.fixture
def pair(user: Any) -> sessions.TokenPair:
    return sessions.start(user, client=sessions.Client("192.0.2.1"))


def selected(*pairs: sessions.TokenPair, **more: str) -> dict[str, Any]:
    keys = [str(pair.session.pk) for pair in pairs]
    return {"action": "revoke_selected", "_selected_action": keys, **more}


def may_call(api: APIClient, pair: sessions.TokenPair) -> bool:
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.raw_access}")
    return bool(api.get("/api/me/").status_code == 200)


def test_the_page_asks_first_and_says_what_it_costs(
    supporter: Client, pair: sessions.TokenPair
) -> None:
    page = supporter.get(page_of(pair.session, "revoke")).content.decode()
    assert "revokes 1 session of 1 user" in page
    assert Session.objects.get().ended_at is None


def test_a_revoked_session_is_dead_on_its_next_request(
    supporter: Client, api: APIClient, pair: sessions.TokenPair, grace: Any
) -> None:
    assert may_call(api, pair)
    answer = supporter.post(page_of(pair.session, "revoke"), REASON, follow=True)
    assert answer.redirect_chain == [(page_of(pair.session), 302)]
    assert "1 session revoked" in texts(answer)[0]
    assert not may_call(api, pair)
    row = DeniedToken.objects.get()
    assert (row.reason, row.denied_by) == (REASON["reason"], grace)
    assert Session.objects.get().end_reason == EndReason.REVOKED
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (grace, str(pair.session.pk))
    assert REASON["reason"] in entry.get_change_message()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201])
def test_without_a_reason_nothing_happens(
    supporter: Client, pair: sessions.TokenPair, reason: str
) -> None:
    answer = supporter.post(page_of(pair.session, "revoke"), {"reason": reason})
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert Session.objects.get().ended_at is None
    assert not LogEntry.objects.exists()


def test_a_token_given_as_the_reason_is_neither_kept_nor_shown(
    supporter: Client, pair: sessions.TokenPair
) -> None:
    for reason in (pair.raw_access, f"he sent {pair.raw_access[:150]}"):
        answer = supporter.post(page_of(pair.session, "revoke"), {"reason": reason})
        page = answer.content.decode()
        assert "contained a token" in page
        assert pair.raw_access[:40] not in page
    assert not DeniedToken.objects.exists()


def test_a_selection_is_counted_by_sessions_and_people_and_revoked(
    supporter: Client, api: APIClient, user: Any, grace: Any
) -> None:
    chosen = [sessions.start(user), sessions.start(user), sessions.start(grace)]
    spared = sessions.start(user)
    over = sessions.start(user)
    sessions.end([over.session], reason=EndReason.LOGOUT)
    page = supporter.post(SESSIONS, selected(*chosen, over, index="0")).content.decode()
    assert "revokes 3 sessions of 2 users" in page
    assert may_call(api, chosen[0])
    answer = supporter.post(SESSIONS, selected(*chosen, over, **REASON), follow=True)
    assert "3 sessions revoked" in texts(answer)[0]
    assert not any(may_call(api, pair) for pair in chosen)
    assert may_call(api, spared)
    assert Session.objects.get(pk=over.session.pk).end_reason == EndReason.LOGOUT
    assert LogEntry.objects.count() == 3


def test_select_across_means_no_more_than_the_page(
    supporter: Client, api: APIClient, user: Any
) -> None:
    chosen, spared = sessions.start(user), sessions.start(user)
    supporter.post(SESSIONS, selected(chosen, select_across="1", **REASON))
    assert not may_call(api, chosen)
    assert may_call(api, spared)


def test_a_key_that_is_none_is_a_bad_request(supporter: Client, user: Any) -> None:
    forged = {"action": "revoke_selected", "_selected_action": ["x"], **REASON}
    assert supporter.post(SESSIONS, forged).status_code == 400


def test_what_is_over_is_not_revoked_again(supporter: Client, pair: sessions.TokenPair) -> None:
    sessions.end([pair.session], reason=EndReason.LOGOUT)
    page = page_of(pair.session, "revoke")
    assert "nothing to revoke" in texts(supporter.post(page, REASON, follow=True))[0]
    assert page not in supporter.get(page_of(pair.session)).content.decode()
    assert page not in supporter.get(SESSIONS).content.decode()
    assert Session.objects.get().end_reason == EndReason.LOGOUT


def test_staff_see_the_buttons_that_they_may_use(
    supporter: Client, pair: sessions.TokenPair
) -> None:
    page = page_of(pair.session, "revoke")
    assert page in supporter.get(page_of(pair.session)).content.decode()
    listed = supporter.get(SESSIONS).content.decode()
    assert page in listed
    assert "Revoke selected sessions" in listed


def test_who_may_not_revoke_sees_no_button_and_a_forged_request_is_403(
    staff: Client, permit: Any, api: APIClient, pair: sessions.TokenPair
) -> None:
    permit("tokens.view_session")
    page = page_of(pair.session, "revoke")
    for place in (SESSIONS, page_of(pair.session)):
        shown = staff.get(place)
        assert shown.status_code == 200
        for word in (page, ">Revoke<", "Revoke selected"):
            assert word not in shown.content.decode()
    assert staff.get(page).status_code == 403
    assert staff.post(page, REASON).status_code == 403
    assert staff.post(SESSIONS, selected(pair, **REASON)).status_code == 403
    assert staff.post(SESSIONS, selected(pair, index="0")).status_code == 403
    assert may_call(api, pair)


def test_another_site_cannot_revoke_in_the_name_of_staff(
    admin_user: Any, api: APIClient, pair: sessions.TokenPair
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    assert client.post(page_of(pair.session, "revoke"), REASON).status_code == 403
    assert client.post(SESSIONS, selected(pair, **REASON)).status_code == 403
    assert may_call(api, pair)


def test_a_session_that_is_not_there_is_404(supporter: Client) -> None:
    missing = Session(pk="00000000-0000-4000-8000-000000000000")
    assert supporter.post(page_of(missing, "revoke"), REASON).status_code == 404

"""The project's own admin of its users shows their sessions and ends them."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from tests.tokens.admin.conftest import page_of, statements, texts
from tests.tokens.admin.users import LIST, page
from tokens import sessions
from tokens.admin.users import NEWEST
from tokens.models import DeniedToken, EndReason, Session

REASON = {"reason": "laptop stolen"}
NEW_PASSWORD = "a rather different sentence"


def selected(*users: Any, **more: str) -> dict[str, Any]:
    keys = [str(user.pk) for user in users]
    return {"action": "sign_out_everywhere", "_selected_action": keys, **more}


def fields(client: Client, user: Any, **changes: str) -> dict[str, Any]:
    """Return what a browser sends back from a user's page, with these changes."""
    (inline,) = client.get(page(user)).context["inline_admin_formsets"]
    number = inline.formset.total_form_count()
    joined = user.date_joined
    sent = {
        "username": user.username,
        "email": user.email,
        "is_active": "on",
        "date_joined_0": f"{joined:%Y-%m-%d}",
        "date_joined_1": f"{joined:%H:%M:%S}",
        "token_sessions-TOTAL_FORMS": number,
        "token_sessions-INITIAL_FORMS": number,
        **changes,
    }
    return {name: value for name, value in sent.items() if value != ""}


def live() -> int:
    return Session.objects.live(now=timezone.now()).count()


def test_the_page_shows_the_newest_sessions(admin_client: Client, user: Any, grace: Any) -> None:
    now = timezone.now()
    keys = [
        sessions.start(user, now=now - timedelta(hours=at)).session.pk for at in range(NEWEST + 1)
    ]
    sessions.start(grace)
    answer = admin_client.get(page(user))
    (formset,) = [inline.formset for inline in answer.context["inline_admin_formsets"]]
    assert [form.instance.pk for form in formset.initial_forms] == keys[:NEWEST]
    shown = answer.content.decode()
    assert f"/admin/tokens/session/{keys[0]}/change/" in shown
    assert f"/admin/tokens/session/?user={user.pk}" in shown
    assert page(user, "sign-out") in shown


def test_the_page_costs_the_same_with_many_sessions(admin_client: Client, user: Any) -> None:
    sessions.start(user)
    admin_client.get(page(user))
    few = statements(lambda: admin_client.get(page(user)))
    for _ in range(30):
        sessions.start(user)
    assert len(statements(lambda: admin_client.get(page(user)))) == len(few)


def test_signing_out_everywhere_asks_and_ends_every_session(
    supporter: Client, user: Any, grace: Any
) -> None:
    for someone in (user, user, grace):
        sessions.start(someone)
    asked = supporter.get(page(user, "sign-out")).content.decode()
    assert "revokes 2 sessions of 1 user" in asked
    assert live() == 3
    answer = supporter.post(page(user, "sign-out"), REASON, follow=True)
    assert answer.redirect_chain == [(page(user), 302)]
    assert "2 sessions revoked" in texts(answer)[0]
    assert list(Session.objects.filter(ended_at=None).values_list("user", flat=True)) == [grace.pk]
    assert set(DeniedToken.objects.values_list("reason", "denied_by")) == {
        (REASON["reason"], grace.pk)
    }
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.user) == (str(user.pk), grace)


def test_a_selection_is_signed_out_everywhere(
    supporter: Client, user: Any, grace: Any, admin_user: Any
) -> None:
    for someone in (user, user, grace, admin_user):
        sessions.start(someone)
    asked = supporter.post(LIST, selected(user, grace, index="0")).content.decode()
    assert "revokes 3 sessions of 2 users" in asked
    assert live() == 4
    answer = supporter.post(LIST, selected(user, grace, **REASON), follow=True)
    assert "3 sessions revoked" in texts(answer)[0]
    assert Session.objects.get(ended_at=None).user == admin_user
    assert LogEntry.objects.count() == 2


def test_a_click_signs_no_user_of_another_page_out(
    supporter: Client, user: Any, grace: Any
) -> None:
    sessions.start(user)
    answer = supporter.post(LIST, selected(grace, select_across="1", **REASON), follow=True)
    assert "No user was signed out" in texts(answer)[0]
    assert live() == 1


def test_who_is_signed_in_nowhere_is_not_asked_about(supporter: Client, user: Any) -> None:
    answer = supporter.post(page(user, "sign-out"), REASON, follow=True)
    assert "No selected user is signed in" in texts(answer)[0]
    assert not LogEntry.objects.exists()


def test_who_may_not_revoke_sees_no_button_and_a_forged_request_is_403(
    staff: Client, permit: Any, user: Any
) -> None:
    permit("accounts.view_user", "tokens.view_session")
    sessions.start(user)
    for place in (LIST, page(user)):
        assert "ign out everywhere" not in staff.get(place).content.decode()
    assert staff.get(page(user, "sign-out")).status_code == 403
    assert staff.post(page(user, "sign-out"), REASON).status_code == 403
    assert staff.post(LIST, selected(user, **REASON)).status_code == 403
    assert staff.post(LIST, selected(user, index="0")).status_code == 403
    assert live() == 1


def test_the_permission_to_revoke_is_not_one_to_see_users(
    staff: Client, permit: Any, user: Any
) -> None:
    permit("tokens.revoke_session")
    sessions.start(user)
    assert staff.post(page(user, "sign-out"), REASON).status_code == 403
    assert live() == 1


def test_who_may_see_users_and_no_sessions_sees_none(staff: Client, permit: Any, user: Any) -> None:
    permit("accounts.view_user")
    pair = sessions.start(user)
    shown = staff.get(page(user))
    assert shown.status_code == 200
    assert str(pair.session) not in shown.content.decode()
    assert "All sessions" not in shown.content.decode()


def test_a_user_that_is_not_there_is_404(supporter: Client, user: Any) -> None:
    missing = f"{LIST}00000000-0000-4000-8000-000000000000/sign-out/"
    assert supporter.get(missing).status_code == 404


def test_deactivating_says_how_many_sessions_ended(admin_client: Client, user: Any) -> None:
    sessions.start(user)
    sessions.start(user)
    sessions.start(user, now=timezone.now() - timedelta(days=30))  # expired, so not counted
    answer = admin_client.post(page(user), fields(admin_client, user, is_active=""), follow=True)
    assert answer.redirect_chain, answer.context["errors"]
    assert f"This change ended 2 sessions of {user}." in texts(answer)
    assert not type(user).objects.get(pk=user.pk).is_active
    assert live() == 0


def test_another_change_says_nothing_of_sessions(admin_client: Client, user: Any) -> None:
    pair = sessions.start(user)
    changed = fields(admin_client, user, first_name="Ada")
    answer = admin_client.post(page(user), changed, follow=True)
    assert type(user).objects.get(pk=user.pk).first_name == "Ada"
    assert not any("ended" in text for text in texts(answer))
    sessions.authenticate(pair.raw_access)


def test_a_new_password_says_how_many_sessions_ended(admin_client: Client, user: Any) -> None:
    sessions.start(user)
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    answer = admin_client.post(page(user, "password"), passwords, follow=True)
    assert f"This change ended 1 session of {user}." in texts(answer)
    assert Session.objects.get().end_reason == EndReason.PASSWORD_CHANGED


def test_a_refused_password_ends_nothing(admin_client: Client, user: Any) -> None:
    pair = sessions.start(user)
    passwords = {"password1": NEW_PASSWORD, "password2": "other", "usable_password": "true"}
    assert admin_client.post(page(user, "password"), passwords).status_code == 200
    sessions.authenticate(pair.raw_access)


def test_a_user_is_added_as_ever(admin_client: Client) -> None:
    added = {
        "username": "alan",
        "email": "alan@example.org",
        "usable_password": "true",
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
    }
    assert "ign out" not in admin_client.get(LIST + "add/").content.decode()
    answer = admin_client.post(LIST + "add/", added, follow=True)
    assert answer.status_code == 200
    assert get_user_model().objects.filter(username="alan").exists()


def test_the_session_page_links_to_its_user(supporter: Client, user: Any) -> None:
    session = sessions.start(user).session
    assert page(user) in supporter.get(page_of(session)).content.decode()


@pytest.mark.parametrize("action", ["sign_out_everywhere", "delete_selected"])
def test_what_is_no_key_among_the_selected_ones_is_the_callers_mistake(
    admin_client: Client, user: Any, action: str
) -> None:
    sent = {"action": action, "_selected_action": ["nonsense", str(user.pk)]}
    assert admin_client.post(LIST, sent).status_code == 400


def test_a_popup_that_selects_a_user_offers_no_sign_out(supporter: Client, user: Any) -> None:
    assert "Sign out everywhere" in supporter.get(LIST).content.decode()
    assert "Sign out everywhere" not in supporter.get(LIST, {"_popup": "1"}).content.decode()

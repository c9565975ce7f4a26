"""The admin's pages show no secret, count no table, and cost the same at any size."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.tokens.admin.conftest import SESSIONS, shown, statements
from tokens import sessions
from tokens.admin import base
from tokens.models import DeniedToken, EndReason, Session, SigningKey

MODELS = ["session", "deniedtoken", "signingkey"]


@pytest.fixture
def rows(user: Any) -> dict[str, Any]:
    pair = sessions.start(user, client=sessions.Client("192.0.2.1", "Firefox"))
    sessions.end([pair.session], reason=EndReason.REVOKED, by=user)
    return {
        "session": Session.objects.get(),
        "deniedtoken": DeniedToken.objects.get(),
        "signingkey": SigningKey.objects.first(),
    }


@pytest.mark.parametrize("model", MODELS)
def test_pages_answer_and_show_nothing_secret(
    admin_client: Client, rows: dict[str, Any], model: str
) -> None:
    secrets = [
        Session.objects.get().auth_hash,
        *SigningKey.objects.values_list("sealed", flat=True),
    ]
    pages = [
        reverse(f"admin:tokens_{model}_changelist"),
        reverse(f"admin:tokens_{model}_changelist") + "?q=ada",
        reverse(f"admin:tokens_{model}_change", args=[rows[model].pk]),
    ]
    for page in pages:
        answer = admin_client.get(page)
        assert answer.status_code == 200, page
        assert not any(secret in answer.content.decode() for secret in secrets)


@pytest.mark.parametrize("model", MODELS)
def test_nothing_can_be_changed_or_deleted(
    admin_client: Client, rows: dict[str, Any], model: str
) -> None:
    key = rows[model].pk
    for page in (
        reverse(f"admin:tokens_{model}_change", args=[key]),
        reverse(f"admin:tokens_{model}_delete", args=[key]),
    ):
        assert admin_client.post(page, {"post": "yes"}).status_code == 403, page
    bulk = {"action": "delete_selected", "_selected_action": [str(key)], "post": "yes"}
    admin_client.post(reverse(f"admin:tokens_{model}_changelist"), bulk)
    assert type(rows[model]).objects.filter(pk=key).exists()


@pytest.mark.parametrize("model", ["session", "signingkey"])
def test_nothing_can_be_added(admin_client: Client, rows: Any, model: str) -> None:
    assert admin_client.get(reverse(f"admin:tokens_{model}_add")).status_code == 403


def test_a_user_with_sessions_can_be_deleted_and_the_denials_stay(
    admin_client: Client, rows: dict[str, Any], user: Any
) -> None:
    live = sessions.start(user)
    page = reverse("admin:accounts_user_delete", args=[user.pk])
    answer = admin_client.post(page, {"post": "yes"})
    assert answer.status_code == 302, answer.content
    assert not Session.objects.exists()
    assert DeniedToken.objects.filter(value=str(live.session.pk)).exists()


def test_staff_without_permissions_see_nothing(staff: Client, rows: Any) -> None:
    for model in MODELS:
        assert staff.get(reverse(f"admin:tokens_{model}_changelist")).status_code == 403


@pytest.mark.parametrize("query", ["", "?q=ada", "?state=live", "?state=expired&refreshed=day"])
def test_a_list_costs_the_same_with_few_rows_and_with_many(
    admin_client: Client, user: Any, query: str
) -> None:
    def fill(number: int) -> None:
        long_ago = timezone.now() - timedelta(days=15)
        for at in range(number):
            sessions.start(user, now=long_ago if at % 2 else None)

    fill(2)
    admin_client.get(SESSIONS)  # The first request also pays for what Django caches per process.
    few = statements(lambda: admin_client.get(SESSIONS + query))
    fill(70)
    many = statements(lambda: admin_client.get(SESSIONS + query))
    assert len(many) == len(few) <= 9
    assert not any("COUNT(" in sql for sql in many)


def test_a_list_goes_from_page_to_page_without_counting(
    admin_client: Client, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    keys = [
        sessions.start(user, now=now - timedelta(minutes=at)).session.pk
        for at in range(base.ReadOnlyAdmin.list_per_page + 1)
    ]
    first = admin_client.get(SESSIONS)
    assert shown(first) == keys[:-1]
    assert (first.context["cl"].previous_page, first.context["cl"].next_page) == ("", "?p=2")
    last = admin_client.get(SESSIONS + "?p=2")
    assert shown(last) == keys[-1:]
    assert (last.context["cl"].previous_page, last.context["cl"].next_page) == ("?p=1", "")
    monkeypatch.setattr(base, "MAX_PAGES", 1)
    assert admin_client.get(SESSIONS).context["cl"].next_page == ""
    for beyond in ("?p=2", "?p=0", "?p=-1"):
        assert admin_client.get(SESSIONS + beyond)["Location"] == SESSIONS + "?e=1"


def test_no_address_sorts_or_filters_by_a_column_without_an_index(
    admin_client: Client, user: Any
) -> None:
    sessions.end([sessions.start(user).session], reason=EndReason.LOGOUT)

    def order(address: str) -> list[str]:
        found = statements(lambda: admin_client.get(address))
        return [sql.partition("ORDER BY")[2] for sql in found if "LIMIT 51" in sql]

    for listed in (SESSIONS, "/admin/tokens/deniedtoken/"):
        assert order(listed)
        for by_hand in ("1", "-2.3", "7"):
            assert order(f"{listed}?o={by_hand}") == order(listed)
    for lookup in ("user_agent__contains=x", "user__password__startswith=a", "_facets=True&x=1"):
        assert admin_client.get(f"{SESSIONS}?{lookup}").status_code == 400


@pytest.mark.parametrize("value", ["%00", "x", "' OR 1=1 --", "9" * 400])
@pytest.mark.parametrize("name", ["q", "user", "state", "reason", "refreshed", "p", "kind"])
def test_odd_words_in_the_address_are_answered(
    admin_client: Client, user: Any, name: str, value: str
) -> None:
    for model in MODELS:
        answer = admin_client.get(f"/admin/tokens/{model}/?{name}={value}")
        assert answer.status_code in (200, 302, 400), (model, answer)


def test_support_is_shown_no_list_that_it_may_not_read(supporter: Client) -> None:
    page = supporter.get(reverse("admin:index")).content.decode()
    assert "Sessions" in page
    assert "Signing keys" not in page


@pytest.mark.parametrize("page", ["change", "delete", "history"])
@pytest.mark.parametrize("model", ["session", "deniedtoken", "signingkey"])
def test_a_nul_in_an_address_names_nothing(admin_client: Client, model: str, page: str) -> None:
    assert admin_client.get(f"/admin/tokens/{model}/%00/{page}/").status_code in {302, 403}

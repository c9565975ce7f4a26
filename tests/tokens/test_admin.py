"""The admin reads, shows nothing secret, and changes nothing of tokens."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tokens import sessions
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
def test_nothing_can_be_added_changed_or_deleted(
    admin_client: Client, rows: dict[str, Any], model: str
) -> None:
    key = rows[model].pk
    for page in (
        reverse(f"admin:tokens_{model}_add"),
        reverse(f"admin:tokens_{model}_change", args=[key]),
        reverse(f"admin:tokens_{model}_delete", args=[key]),
    ):
        assert admin_client.post(page, {"post": "yes"}).status_code == 403, page
    bulk = {"action": "delete_selected", "_selected_action": [str(key)], "post": "yes"}
    admin_client.post(reverse(f"admin:tokens_{model}_changelist"), bulk)
    assert type(rows[model]).objects.filter(pk=key).exists()


def test_a_user_with_sessions_can_be_deleted_and_the_denials_stay(
    admin_client: Client, rows: dict[str, Any], user: Any
) -> None:
    live = sessions.start(user)
    page = reverse("admin:accounts_user_delete", args=[user.pk])
    answer = admin_client.post(page, {"post": "yes"})
    assert answer.status_code == 302, answer.content
    assert not Session.objects.exists()
    assert DeniedToken.objects.filter(value=str(live.session.pk)).exists()


def test_staff_without_permissions_see_nothing(client: Client, user: Any, rows: Any) -> None:
    type(user).objects.update(is_staff=True)
    client.force_login(type(user).objects.get())
    for model in MODELS:
        assert client.get(reverse(f"admin:tokens_{model}_changelist")).status_code == 403

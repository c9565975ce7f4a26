"""
The steps of a project with any dotted path and label of the app.

They are: migrate, check, sign in, call, refresh, revoke, be refused, and manage sessions in the
admin. Nothing here imports the app, because its path and its label belong to the project.
"""

from datetime import UTC, datetime
from io import StringIO
from typing import Any

from django.apps import apps
from django.contrib.admin.utils import quote
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

PASSWORD = "correct horse battery staple"


def run(*, label: str) -> None:
    call_command("migrate", verbosity=0)
    call_command("makemigrations", check_changes=True, dry_run=True)
    call_command("check", fail_level="WARNING")
    found = {message.id for message in run_checks(include_deployment_checks=True)}
    assert "tokens.W011" not in found, "The middleware is listed, but the check does not find it."
    ada = get_user_model().objects.create_user("ada", "ada@example.org", PASSWORD)
    assert_tokens_work()
    assert_introspection_needs_the_permission(label)
    assert_admin_works(label, ada)
    assert_openapi_names_the_schemes()
    assert_commands_run(label)


def sign_in(name: str = "ada") -> dict[str, str]:
    answer = APIClient().post("/api/token/", {"username": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def bearer(pair: dict[str, str]) -> APIClient:
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")


def assert_tokens_work() -> None:
    first = sign_in()
    assert bearer(first).get("/api/sessions/").status_code == 200
    page = bearer(first).get("/api/sessions/", HTTP_ACCEPT="text/html")
    assert page.status_code == 200
    assert "ada" in page.content.decode()
    answer = APIClient().post("/api/token/refresh/", {"refresh": first["refresh"]})
    assert answer.status_code == 200, answer.content
    second = answer.json()
    assert bearer(second).get("/api/sessions/").status_code == 200
    assert APIClient().post("/api/token/revoke/", {"token": second["refresh"]}).status_code == 200
    for pair in (first, second):
        assert bearer(pair).get("/api/sessions/").status_code == 401
        refused = APIClient().post("/api/token/refresh/", {"refresh": pair["refresh"]})
        assert refused.status_code == 401
    browser = APIClient()
    credentials = {"username": "ada", "password": PASSWORD}
    assert browser.post("/api/token/cookie/", credentials).status_code == 200
    assert browser.get("/api/sessions/").status_code == 200
    assert browser.get("/api/login/", HTTP_ACCEPT="text/html").status_code == 200
    assert APIClient().get("/.well-known/jwks.json").json() == {"keys": []}


def assert_introspection_needs_the_permission(label: str) -> None:
    alan = get_user_model().objects.create_user("alan", "alan@example.org", PASSWORD)
    caller = bearer(sign_in("alan"))
    body = {"token": sign_in()["access"]}
    assert caller.post("/api/token/introspect/", body).status_code == 403
    alan.user_permissions.add(permission(label, "introspect_token"))
    answer = caller.post("/api/token/introspect/", body)
    assert answer.status_code == 200, answer.content
    assert answer.json()["active"] is True


def permission(label: str, codename: str) -> Permission:
    return Permission.objects.get(content_type__app_label=label, codename=codename)


def assert_admin_works(label: str, ada: Any) -> None:
    support = Group.objects.get(name="Support").permissions
    assert support.filter(content_type__app_label=label).count() == 4
    session_model = apps.get_model(label, "Session")
    session = session_model._default_manager.filter(user=ada, ended_at=None).first()
    assert session is not None
    denied = apps.get_model(label, "DeniedToken")._default_manager.first()
    key = apps.get_model(label, "SigningKey")._default_manager.get(state="signing")
    grace = get_user_model().objects.create_user("grace", password=PASSWORD, is_staff=True)
    grace.user_permissions.set(
        Permission.objects.filter(content_type__app_label__in=[label, "auth"])
    )
    user_pages = f"admin:{get_user_model()._meta.label_lower.replace('.', '_')}"
    for name, args in (
        ("admin:index", []),
        ("admin:app_list", [label]),
        (f"admin:{label}_session_changelist", []),
        (f"admin:{label}_session_change", [session.pk]),
        (f"admin:{label}_session_history", [session.pk]),
        (f"admin:{label}_session_revoke", [session.pk]),
        (f"admin:{label}_deniedtoken_changelist", []),
        (f"admin:{label}_deniedtoken_change", [denied.pk]),
        (f"admin:{label}_signingkey_changelist", []),
        (f"admin:{label}_signingkey_change", [key.pk]),
        (f"admin:{label}_signingkey_rotate", []),
        (f"admin:{label}_signingkey_revoke", []),
        (f"{user_pages}_changelist", []),
        (f"{user_pages}_change", [ada.pk]),
        (f"{user_pages}_sign_out", [ada.pk]),
    ):
        assert_answers(name, *args, user=grace)
    index = assert_answers("admin:index", user=grace)
    assert "Live sessions" in index
    assert "Revoke" in assert_answers(f"admin:{label}_session_change", session.pk, user=grace)
    find = reverse(f"admin:{label}_session_find")
    assert browser_of(grace).post(find, {"q": "ada"}).status_code == 302
    revoke = reverse(f"admin:{label}_session_revoke", args=[session.pk])
    assert browser_of(grace).post(revoke, {"reason": "laptop stolen"}).status_code == 302
    session.refresh_from_db()
    assert session.ended_at is not None


def browser_of(user: Any) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def assert_answers(name: str, *args: Any, user: Any) -> str:
    """Return the admin page called ``name`` as ``user`` sees it; fail unless it answers 200."""
    # The admin decodes the key in an address: it takes "_41" in a key's id for an encoded "A".
    answer = browser_of(user).get(reverse(name, args=[quote(arg) for arg in args]))
    assert answer.status_code == 200, (name, answer.status_code)
    return answer.content.decode()


def assert_openapi_names_the_schemes() -> None:
    answer = APIClient().get("/api/schema/", HTTP_ACCEPT="application/vnd.oai.openapi+json")
    assert answer.status_code == 200
    schemes = answer.json()["components"]["securitySchemes"]
    assert {"bearer", "cookie", "refreshCookie"} <= schemes.keys()


def assert_commands_run(label: str) -> None:
    for name, *words in (
        ("list_keys",),
        ("prune_tokens",),
        ("revoke_tokens", "--all", "--reason=leak", "--noinput"),
        ("rotate_secret", "--revoke-previous", "--noinput"),
    ):
        call_command(name, *words, stdout=StringIO(), stderr=StringIO())
    sessions: Any = apps.get_model(label, "Session")._default_manager
    assert not sessions.all().live(now=datetime.now(UTC)).exists()

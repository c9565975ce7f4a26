"""Django's own sessions are among the user's sessions, and end with them (case T21)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model, login, update_session_auth_hash
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path, reverse
from rest_framework.test import APIClient

from tests.conftest import PASSWORD
from tokens import clock, keyring, sessions
from tokens.models import EndReason, Session, SessionKind
from tokens.operations import revocation

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "a rather different sentence"


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username() or "nobody")


async def who_async(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    return HttpResponse(user.get_username() or "nobody")


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse("nothing")


def become(request: HttpRequest) -> HttpResponse:
    login(request, get_user_model().objects.get(username=request.GET["name"]))
    return HttpResponse("done")


def set_password(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    user.set_password(NEW_PASSWORD)
    user.save()
    if "keep" in request.GET:
        update_session_auth_hash(request, user)
    return HttpResponse("done")


def fail(request: HttpRequest) -> HttpResponse:
    become(request)
    raise OSError("the disk is full")


urlpatterns = [
    path("who/", who),
    path("who-async/", who_async),
    path("nothing/", nothing),
    path("become/", become),
    path("password/", set_password),
    path("fail/", fail),
    path("api/", include("tokens.urls")),
]


@pytest.fixture(autouse=True)
def _urls(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


@pytest.fixture
def browser(user: Any) -> Client:
    browser = Client(HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0")
    browser.get("/become/?name=ada")
    return browser


def name_in(browser: Client) -> str:
    return browser.get("/who/").content.decode()


def the_row() -> Session:
    return Session.objects.get(kind=SessionKind.DJANGO)


def end_all(user: Any) -> None:
    sessions.end_all(user, reason=EndReason.REVOKED)


def deactivate_and_reactivate(user: Any) -> None:
    for active in (False, True):
        user.is_active = active
        user.save()


def end_its_row(user: Any) -> None:
    sessions.end([the_row()], reason=EndReason.REVOKED)


def change_password_back_and_forth(user: Any) -> None:
    old = user.password
    user.set_password(NEW_PASSWORD)
    user.save()
    user.password = old
    user.save()


def test_a_sign_in_adds_a_session_of_its_kind(browser: Client, user: Any) -> None:
    row = the_row()
    assert (row.user, row.ip_address) == (user, "127.0.0.1")
    assert "Firefox" in row.user_agent
    assert name_in(browser) == "ada"
    lifetime = row.expires_at - row.started_at
    assert abs(lifetime - timedelta(weeks=2)) < timedelta(seconds=2)


@pytest.mark.parametrize(
    "end", [end_all, deactivate_and_reactivate, end_its_row, change_password_back_and_forth]
)
@pytest.mark.parametrize(
    "engine",
    ["django.contrib.sessions.backends.db", "django.contrib.sessions.backends.signed_cookies"],
)
def test_whatever_ends_a_users_sessions_ends_it(
    user: Any, settings: Any, end: Callable[[Any], None], engine: str
) -> None:
    settings.SESSION_ENGINE = engine
    browser = Client()
    browser.get("/become/?name=ada")
    stolen = dict(browser.cookies)
    end(user)
    assert name_in(browser) == "nobody"
    thief = Client()
    thief.cookies.update(stolen)
    assert name_in(thief) == "nobody"
    browser.get("/become/?name=ada")
    assert name_in(browser) == "ada"


def test_a_user_sees_and_ends_it_over_the_api(browser: Client, user: Any) -> None:
    api = APIClient(HTTP_AUTHORIZATION=f"Bearer {sessions.start(user).raw_access}")
    listed = {entry["kind"]: entry for entry in api.get("/api/sessions/").json()["results"]}
    assert set(listed) == {"pair", "django"}
    assert listed["django"]["device"] == "Firefox on Linux"
    assert api.delete(f"/api/sessions/{listed['django']['id']}/").status_code == 204
    assert name_in(browser) == "nobody"


def test_signing_out_ends_its_row(browser: Client, settings: Any) -> None:
    settings.ROOT_URLCONF = "config.urls"
    get_user_model().objects.update(is_staff=True)
    browser.post(reverse("admin:logout"))
    row = the_row()
    assert (row.end_reason, row.ended_ip_address) == (EndReason.LOGOUT, "127.0.0.1")


def test_signing_in_as_somebody_else_ends_the_first_row(browser: Client, user: Any) -> None:
    get_user_model().objects.create_user("bob")
    browser.get("/who/")
    Client().get("/become/?name=bob")
    assert the_row_of("ada").ended_at is None
    browser.get("/who-async/")
    browser.get("/become/?name=bob")
    assert name_in(browser) == "bob"


def the_row_of(name: str) -> Session:
    return Session.objects.get(user__username=name, kind=SessionKind.DJANGO)


def test_signing_in_again_keeps_the_row(browser: Client) -> None:
    browser.get("/become/?name=ada")
    browser.get("/become/?name=ada")
    assert name_in(browser) == "ada"
    assert the_row().ended_at is None


def test_a_session_from_before_the_middleware_gets_a_row_when_it_is_used(user: Any) -> None:
    browser = Client()
    browser.force_login(user)
    assert not Session.objects.exists()
    assert name_in(browser) == "ada"
    end_its_row(user)
    assert name_in(browser) == "nobody"


def test_a_password_change_ends_all_but_the_session_that_django_keeps(
    browser: Client, user: Any
) -> None:
    other = Client()
    other.get("/become/?name=ada")
    browser.get("/password/?keep")
    assert name_in(other) == "nobody"
    assert name_in(browser) == "ada"
    live = Session.objects.filter(ended_at=None)
    assert live.count() == 1
    end_all(user)
    assert name_in(browser) == "nobody"


def test_a_password_change_that_keeps_nothing_ends_it(browser: Client) -> None:
    browser.get("/password/")
    assert name_in(browser) == "nobody"


def test_a_new_secret_key_with_the_old_as_fallback_keeps_it(
    browser: Client, user: Any, settings: Any
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key-that-is-long-enough-0123456789-abcdef"
    assert name_in(browser) == "ada"
    with CaptureQueriesContext(connection) as captured:
        browser.get("/who/")
    assert sum("tokens_session" in query["sql"] for query in captured.captured_queries) == 1
    settings.SECRET_KEY_FALLBACKS = []
    Session.objects.update(refreshed_at=clock.now() - timedelta(hours=1))
    assert name_in(browser) == "ada"
    user.refresh_from_db()
    user.save()  # Its receivers end sessions of another auth hash.
    assert name_in(browser) == "ada"


def test_its_row_follows_its_use_once_in_a_while(browser: Client) -> None:
    earlier = clock.now() - timedelta(minutes=6)
    Session.objects.update(refreshed_at=earlier, expires_at=earlier, idle_until=earlier)
    browser.get("/who/", REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="another")
    row = the_row()
    assert row.refreshed_at > earlier + timedelta(minutes=5)
    assert row.expires_at > clock.now() + timedelta(days=13)
    assert (row.refreshed_ip_address, row.refreshed_user_agent) == ("192.0.2.7", "another")
    browser.get("/who/", REMOTE_ADDR="192.0.2.8")
    assert the_row().refreshed_ip_address == "192.0.2.7"


def test_a_session_whose_row_was_deleted_is_over(browser: Client) -> None:
    """Rows are deleted some time after their end."""
    Session.objects.all().delete()
    assert name_in(browser) == "nobody"


def test_a_request_that_uses_the_user_costs_one_query_and_any_other_none(browser: Client) -> None:
    def queries_of(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            browser.get(path)
        return sum("tokens_session" in query["sql"] for query in captured.captured_queries)

    assert queries_of("/who/") == 1
    assert queries_of("/nothing/") == 0


def test_an_async_view_gets_the_same_answer(browser: Client, user: Any) -> None:
    assert browser.get("/who-async/").content == b"ada"
    end_all(user)
    assert browser.get("/who-async/").content == b"nobody"


def test_a_sign_in_that_django_does_not_save_adds_no_row(user: Any) -> None:
    browser = Client(raise_request_exception=False)
    assert browser.get("/fail/?name=ada").status_code == 500
    assert not Session.objects.exists()


def test_a_sign_in_by_token_adds_no_session_of_django(user: Any) -> None:
    APIClient().post("/api/token/", {"username": "ada", "password": PASSWORD})
    assert Session.objects.get().kind == SessionKind.PAIR


def test_it_displaces_no_session_with_tokens(browser: Client, user: Any, settings: Any) -> None:
    settings.TOKENS_SESSIONS_PER_USER = 1
    pair = sessions.start(user)
    Client().get("/become/?name=ada")
    sessions.authenticate(pair.raw_access)


def test_staff_sees_it_and_signs_it_out_everywhere(browser: Client, settings: Any) -> None:
    settings.ROOT_URLCONF = "config.urls"
    admin = get_user_model().objects.create_superuser("root", "root@example.org", PASSWORD)
    staff = Client()
    staff.force_login(admin)
    ada = get_user_model().objects.get(username="ada")
    page = staff.get(reverse("admin:tokens_session_changelist")).content.decode()
    assert "Firefox on Linux (Django session)" in page
    sign_out = reverse("admin:accounts_user_sign_out", args=[ada.pk])
    answer = staff.post(sign_out, {"reason": "cookie stolen"}, follow=True)
    assert "1 session revoked" in answer.content.decode()
    settings.ROOT_URLCONF = __name__
    assert name_in(browser) == "nobody"


def test_a_revoked_key_takes_no_session_of_django_with_it(browser: Client, user: Any) -> None:
    sessions.start(user)
    keyring.rotate(keyring.plan_rotation(revoke_previous=True))
    assert Session.objects.all().with_tokens().get().kind == SessionKind.PAIR
    assert name_in(browser) == "ada"


def test_a_cut_off_ends_it_and_the_next_one_is_good(browser: Client) -> None:
    revocation.carry_out(revocation.everything(), note="leak")
    assert name_in(browser) == "nobody"
    browser.get("/become/?name=ada")
    assert name_in(browser) == "ada"

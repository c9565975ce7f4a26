"""Async views authenticate requests as the views of DRF do, and the middleware needs no thread."""

from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, RequestFactory

from tests.asynchronous.conftest import forged, run
from tests.asynchronous.hops import Hops
from tests.conftest import PASSWORD
from tokens import authentication, sessions
from tokens.api import charsets, cookies
from tokens.api.django_sessions import DjangoSessionMiddleware
from tokens.api.middleware import (
    ClientMiddleware,
    ReadableRequestMiddleware,
    TokenCookieMiddleware,
)
from tokens.client.cookie import full_name
from tokens.errors import KeyRingError
from tokens.middleware import TokensMiddleware
from tokens.models import EndReason, Session, SessionKind
from tokens.sessions import TokenPair

DOORS = ["adrf", "plain", "ninja"]
OF_DJANGO = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]


@pytest.fixture(autouse=True)
def _site(settings: Any, pair: TokenPair) -> None:
    settings.ROOT_URLCONF = "tests.asynchronous.site"
    settings.MIDDLEWARE = [*OF_DJANGO, "tokens.middleware.TokensMiddleware"]


def get(door: str, method: str = "get", **extra: Any) -> Any:
    client = AsyncClient(enforce_csrf_checks=True)
    client.cookies.load(extra.pop("cookies", {}))
    return run(getattr(client, method)(f"/{door}/", **extra))


def bearer(raw_token: str) -> dict[str, Any]:
    return {"headers": {"authorization": f"Bearer {raw_token}"}}


def cookie(raw_token: str) -> dict[str, Any]:
    return {"cookies": {full_name(cookies.ACCESS): raw_token}}


def told(response: Any) -> tuple[Any, ...]:
    """Return what an API client sees of a refusal."""
    names = ("WWW-Authenticate", "Retry-After")
    return (response.status_code, response.json(), *(response.get(name) for name in names))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("mode", ["strict", "snapshot"])
def test_a_good_token_is_accepted(
    door: str, mode: str, pair: TokenPair, user: Any, request: Any
) -> None:
    if mode == "snapshot":
        request.getfixturevalue("snapshot_mode")
    for credential in (bearer(pair.raw_access), cookie(pair.raw_access)):
        response = get(door, **credential)
        assert (response.status_code, user.get_username() in response.text) == (200, True)
        assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("door", DOORS)
def test_refusals_are_those_of_sync_views(door: str, pair: TokenPair) -> None:
    gone = sessions.authenticate(pair.raw_access).session
    for credential in (
        {},
        bearer("junk"),
        bearer(forged(pair.raw_access)),
        bearer(pair.raw_refresh),
        bearer("two words"),
        cookie("junk"),
    ):
        assert told(get(door, **credential)) == told(get("sync", **credential))
    sessions.end([gone], reason=EndReason.REVOKED)
    assert told(get(door, **bearer(pair.raw_access))) == told(
        get("sync", **bearer(pair.raw_access))
    )


@pytest.mark.parametrize("door", DOORS)
def test_an_unsafe_request_by_cookie_needs_the_csrf_token(door: str, pair: TokenPair) -> None:
    refused = get(door, "post", **cookie(pair.raw_access))
    assert told(refused) == told(get("sync", "post", **cookie(pair.raw_access)))
    assert refused.status_code == 403
    token = "a" * 32
    accepted = cookie(pair.raw_access)
    accepted["cookies"]["csrftoken"] = token
    accepted["headers"] = {"x-csrftoken": token}
    assert get(door, "post", **accepted).status_code == 200
    assert get(door, "post", **bearer(pair.raw_access)).status_code == 200


@pytest.mark.parametrize("error", [OperationalError("away"), KeyRingError("sealed")])
@pytest.mark.parametrize("door", ["plain", "ninja"])
def test_a_failure_of_the_server_is_a_503(
    door: str, error: Exception, pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    monkeypatch.setattr(sessions, "aauthenticate", fail)
    response = get(door, **bearer(pair.raw_access))
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_a_refused_cookie_is_deleted() -> None:
    response = get("plain", **cookie("junk"))
    assert response.cookies[full_name(cookies.ACCESS)].value == ""


def test_a_view_may_accept_requests_without_a_token(pair: TokenPair) -> None:
    assert get("optional").text == "none"
    assert get("optional", **bearer(pair.raw_access)).text != "none"


def test_a_token_refused_while_the_user_is_loaded_is_a_401(
    pair: TokenPair, snapshot_mode: None, user: Any
) -> None:
    """The copy accepts it, and the query knows better."""
    sessions.authenticate(pair.raw_access)
    type(user).objects.update(is_active=False)
    answered = get("plain", **bearer(pair.raw_access))
    assert told(answered) == told(get("sync", **bearer(pair.raw_access)))
    assert answered.json()["code"] == "user_inactive"


def test_an_error_of_another_kind_is_raised() -> None:
    with pytest.raises(LookupError):
        authentication.answer(RequestFactory().get("/"), LookupError())


class TestThreads:
    """What an async stack hands to threads, besides Django's own."""

    def hops_of(self, hops: Hops, door: str, **credential: Any) -> int:
        get(door, **credential)
        hops.take()
        get(door, **credential)
        return hops.take()

    @pytest.fixture
    def without_any(self, hops: Hops, settings: Any) -> int:
        settings.MIDDLEWARE = []
        return self.hops_of(hops, "open")

    def test_the_middleware_takes_none(self, hops: Hops, without_any: int, settings: Any) -> None:
        settings.MIDDLEWARE = [
            "tokens.api.middleware.ReadableRequestMiddleware",
            "tokens.middleware.TokensMiddleware",
        ]
        assert self.hops_of(hops, "open") == without_any

    def test_snapshot_mode_takes_none(
        self, hops: Hops, without_any: int, settings: Any, pair: TokenPair, snapshot_mode: None
    ) -> None:
        settings.MIDDLEWARE = ["tokens.middleware.TokensMiddleware"]
        sessions.authenticate(pair.raw_access)  # The first request reads the copy.
        assert self.hops_of(hops, "pk", **bearer(pair.raw_access)) == without_any

    def test_strict_mode_takes_one(
        self, hops: Hops, without_any: int, settings: Any, pair: TokenPair
    ) -> None:
        settings.MIDDLEWARE = ["tokens.middleware.TokensMiddleware"]
        assert self.hops_of(hops, "pk", **bearer(pair.raw_access)) == without_any + 1


@pytest.mark.parametrize(
    "middleware",
    [
        ReadableRequestMiddleware,
        ClientMiddleware,
        TokenCookieMiddleware,
        DjangoSessionMiddleware,
        TokensMiddleware,
    ],
)
def test_a_middleware_is_as_its_chain_is(middleware: Any) -> None:
    async def aview(request: HttpRequest) -> HttpResponse: ...  # type: ignore[empty-body]

    assert iscoroutinefunction(middleware(aview))
    assert not iscoroutinefunction(middleware(lambda request: None))


@pytest.fixture
def an_async_chain(settings: Any) -> None:
    settings.MIDDLEWARE = [
        "tokens.api.middleware.ReadableRequestMiddleware",
        *OF_DJANGO,
        "tokens.middleware.TokensMiddleware",
    ]


@pytest.mark.usefixtures("an_async_chain")
class TestAsyncChain:
    """The middleware do in an async chain what they do in a sync one."""

    def test_an_unreadable_request_is_refused(self) -> None:
        request = RequestFactory().get("/")
        request.META[charsets._STATE] = "nope"

        async def aview(request: HttpRequest) -> HttpResponse:
            return HttpResponse()

        middleware = ReadableRequestMiddleware(aview)
        assert run(middleware(request)).status_code == 400
        assert run(middleware(RequestFactory().get("/"))).status_code == 200

    def test_a_session_of_django_is_listed_and_ends_with_the_others(self, user: Any) -> None:
        client = AsyncClient()
        assert run(client.get(f"/sign-in/?password={PASSWORD}")).text == "signed in"
        assert run(client.get("/who/")).text == user.get_username()
        assert Session.objects.filter(kind=SessionKind.DJANGO).count() == 1
        sessions.end_all(user, reason=EndReason.REVOKED)
        assert run(client.get("/who/")).text == ""

    def test_a_refused_attempt_to_sign_in_is_answered_with_a_wait(self, settings: Any) -> None:
        settings.TOKENS_LOGIN_THROTTLE = "1/hour"
        settings.TOKENS_ACCOUNT_THROTTLE = "1/hour"
        answers = [get("sign-in/?password=wrong&x=") for _ in range(3)]
        assert answers[-1].status_code == 429
        assert "Retry-After" in answers[-1]

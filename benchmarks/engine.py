"""Measure all rows of the table on the database in DATABASE_URL, and print them as JSON."""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import django

django.setup()

from allauth.account.middleware import AccountMiddleware  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.models import AnonymousUser  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import override_settings  # noqa: E402
from django.urls import resolve, reverse, set_urlconf  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.test import APIRequestFactory  # noqa: E402
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken  # noqa: E402
from rest_framework_simplejwt.views import TokenRefreshView  # noqa: E402

from tests import settings as project  # noqa: E402
from tokens import sessions  # noqa: E402
from tokens.errors import TokenError  # noqa: E402
from tokens.models import EndReason  # noqa: E402

from . import bare, data, holding, parallel, peers, pruning, serving  # noqa: E402
from .measure import ROUNDS, Timings, interleave  # noqa: E402

factory = APIRequestFactory()


def main(expired: int) -> None:
    call_command("migrate", verbosity=0)
    data.make_users()
    user = get_user_model().objects.create_superuser("ada", "ada@example.org", peers.PASSWORD)
    results: dict[str, Timings] = {}
    results["authenticate, seen before"] = seen(user)
    results["authenticate, never seen"] = never_seen(user)
    results["whole view"] = whole_view(user)
    results["whole request"] = whole_view(user, request=True)
    results["GET /api/me/"] = me(user)
    results["refresh"] = refresh(user)
    results["sign-in, without the hash"] = sign_in(user)
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        results["sign-in, whole view with a quick hash"] = sign_in_with_password("eve")
    results["sign-in, with Argon2"] = sign_in_with_password("ida", calls=1)
    results["revoked to refused, one process"] = revoke(user)
    results |= serving.rows(user)
    note(f"prune {expired} expired rows")
    results |= pruning.rows(expired)
    note("50 refreshes of one token")
    at_once = parallel.run(user)
    note("many denials")
    results |= holding.rows(authenticating("latchkey", peers.credentials(user)["latchkey"]))
    json.dump({"engine": version(), "results": results, "at_once": at_once}, sys.stdout)


def note(text: str) -> None:
    print(f"  {connection.vendor}: {text}", file=sys.stderr, flush=True)


def version() -> str:
    with connection.cursor() as cursor:
        sqlite = connection.vendor == "sqlite"
        cursor.execute("SELECT sqlite_version()" if sqlite else "SHOW server_version")
        return f"{'SQLite' if sqlite else 'PostgreSQL'} {cursor.fetchone()[0].split()[0]}"


def request_with(header: str) -> Request:
    return Request(factory.get("/who/", HTTP_AUTHORIZATION=header))


def authenticating(name: str, header: str) -> Callable[[], Any]:
    request, authentication = request_with(header), peers.AUTHENTICATION[name]()

    def call() -> None:
        assert authentication.authenticate(request) is not None

    return call


def seen(user: Any) -> Timings:
    note("authenticate")
    headers = peers.credentials(user)
    contenders = {name: authenticating(name, headers[name]) for name in peers.AUTHENTICATION}
    contenders["snapshot"] = contenders["latchkey"]
    return interleave(contenders)


def never_seen(user: Any, calls: int = 25) -> Timings:
    """Time each call with a new token, made before the clock starts."""
    needed = (calls + 1) * ROUNDS

    def each(name: str, headers: Iterator[str]) -> Callable[[], Any]:
        waiting = iter([request_with(header) for header in headers])
        authentication = peers.AUTHENTICATION[name]()
        return lambda: authentication.authenticate(next(waiting))

    ours = [f"Bearer {sessions.start(user).raw_access}" for _ in range(2 * needed)]
    theirs = [f"Bearer {AccessToken.for_user(user)}" for _ in range(2 * needed)]
    data.analyze()
    contenders = {
        "latchkey": each("latchkey", iter(ours[:needed])),
        "snapshot": each("latchkey", iter(ours[needed:])),
        "simplejwt": each("simplejwt", iter(theirs[:needed])),
        "simplejwt-stateless": each("simplejwt-stateless", iter(theirs[needed:])),
    }
    return interleave(contenders, calls=calls)


def whole_view(user: Any, *, request: bool = False) -> Timings:
    """Call a view directly, or with ``request`` through the middleware and the URLs."""
    note("whole request" if request else "whole view")
    headers = peers.credentials(user)
    handler = WSGIHandler()
    contenders: dict[str, Callable[[], Any]] = {}
    for name in ["none", *peers.AUTHENTICATION, "snapshot"]:
        credential = "latchkey" if name == "snapshot" else name
        path = reverse(f"who-{credential}")
        answering = handler.get_response if request else resolve(path).func
        contenders[name] = _calling(answering, path, headers[credential])
    return interleave(contenders)


def me(user: Any) -> Timings:
    """Call the project's own view at its own address, and a view of a bare project without a token."""
    note("GET /api/me/")
    with override_settings(MIDDLEWARE=project.MIDDLEWARE):
        of_project = WSGIHandler().get_response
    with override_settings(MIDDLEWARE=bare.MIDDLEWARE):
        of_bare_project = WSGIHandler().get_response
    header = peers.credentials(user)["latchkey"]
    contenders = {
        # In the benchmark's own URLs, it comes after those of the other packages.
        "latchkey": _calling(of_project, "/api/me/", header, urlconf=project.ROOT_URLCONF),
        "a bare view": _calling(of_bare_project, reverse("who-none"), ""),
    }
    try:
        return interleave(contenders)
    finally:
        set_urlconf(None)  # This thread keeps the URLs of its last request.


def _calling(
    answering: Any, path: str, header: str, *, urlconf: str | None = None
) -> Callable[[], Any]:
    def call() -> None:
        extra: dict[str, Any] = {"HTTP_AUTHORIZATION": header} if header else {}
        request: Any = factory.get(path, **extra)
        if urlconf is not None:
            request.urlconf = urlconf
        answer = answering(request)
        answer.render()
        assert answer.status_code == 200, answer.content

    return call


def refresh(user: Any) -> Timings:
    note("refresh")
    refresh_view = resolve("/_allauth/app/v1/tokens/refresh").func

    def allauth_view(request: Any) -> Any:
        # allauth's views require what these middlewares set.
        request.user, request.session = AnonymousUser(), SessionStore()
        return AccountMiddleware(refresh_view)(request)

    raw_allauth = peers.allauth_refresh_token(user)
    unlisted = TokenRefreshView.as_view(serializer_class=peers.UnlistedRefreshSerializer)
    listed = str(RefreshToken.for_user(user))
    contenders = {
        "latchkey": _rotating("/api/token/refresh/", None, sessions.start(user).raw_refresh),
        "simplejwt-blacklist": _rotating("/simplejwt/refresh/", None, listed),
        "simplejwt": _rotating("/", unlisted, str(peers.UnlistedRefreshToken.for_user(user))),
        "allauth": _rotating("/_allauth/app/v1/", allauth_view, raw_allauth, "refresh_token"),
    }
    # Otherwise a session rotates once in thirty seconds, and all others are answered without.
    with override_settings(TOKENS_REFRESH_GRACE=timedelta(0)):
        return interleave(contenders)


def _rotating(path: str, view: Any, raw_refresh: str, key: str = "refresh") -> Callable[[], Any]:
    held = [raw_refresh]
    view = view or resolve(path).func

    def call() -> None:
        answer = view(factory.post(path, {key: held[0]}, format="json"))
        if hasattr(answer, "render"):
            answer.render()
        assert answer.status_code == 200, answer.content
        members = json.loads(answer.content)
        held[0] = members.get("data", members)[key]

    return call


def sign_in(user: Any) -> Timings:
    note("sign-in")
    names = ("latchkey", "simplejwt-blacklist", "simplejwt")
    return interleave({name: peers.signing_in(name, user) for name in names})


def sign_in_with_password(name: str, *, calls: int | None = None) -> Timings:
    get_user_model().objects.create_user(name, f"{name}@example.org", peers.PASSWORD)
    names = ("latchkey", "simplejwt-blacklist", "simplejwt-blacklist, with last_login")
    contenders = {one: peers.signing_in_with_password(one, name) for one in names}
    return interleave(contenders, rounds=min(ROUNDS, 12), calls=calls)


def revoke(user: Any) -> Timings:
    note("revoke")

    def call() -> None:
        pair = sessions.start(user)
        sessions.end([pair.session], reason=EndReason.REVOKED)
        try:
            sessions.authenticate(pair.raw_access)
        except TokenError:
            return
        raise AssertionError("accepted after it was revoked")

    def theirs() -> None:
        raw_refresh = str(RefreshToken.for_user(user))
        RefreshToken(raw_refresh).blacklist()
        try:
            RefreshToken(raw_refresh)
        except Exception:
            return
        raise AssertionError("accepted after it was blacklisted")

    return interleave({"latchkey": call, "snapshot": call, "simplejwt-blacklist": theirs})


if __name__ == "__main__":
    main(int(sys.argv[1]))
